const MIN_SECRET_CHARACTERS = 32;
const HOW_TO_MAKE_ONE = 'make one with: openssl rand -hex 32';

/**
 * Parses `COUNTERSIGN_PROXY_SECRET`: one secret, or for a rotation two, with white space between. Each can stand in a
 * header as it is, and is long enough not to be guessed.
 *
 * @throws {RangeError} which says nothing of the secret
 */
export function parseProxySecrets(text: string): readonly string[] {
  const secrets = text.split(/[ \t\r\n]+/).filter((secret) => secret !== '');
  if (secrets.length > 2) {
    throw new RangeError('holds more than two secrets; the one in use and the one that follows it are enough');
  }
  for (const secret of secrets) requireSecret(secret);
  if (secrets.length === 0) throw new RangeError(`holds no secret; ${HOW_TO_MAKE_ONE}`);
  if (secrets[0] === secrets[1]) throw new RangeError('holds the same secret twice; write it once');
  return secrets;
}

function requireSecret(secret: string): void {
  if (!/^[\x21-\x7e]+$/.test(secret)) {
    throw new RangeError(`holds a control character or one beyond ASCII; ${HOW_TO_MAKE_ONE}`);
  }
  if (secret.length < MIN_SECRET_CHARACTERS) {
    throw new RangeError(`holds one shorter than ${MIN_SECRET_CHARACTERS} characters; ${HOW_TO_MAKE_ONE}`);
  }
}

/** For the line that the server prints at start; undefined where there is none. */
export function describeProxySecrets({ length }: readonly string[]): string | undefined {
  return length === 0 ? undefined : length === 1 ? 'proxy secret' : 'two proxy secrets (rotation)';
}

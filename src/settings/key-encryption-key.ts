const KEY_BYTES = 32;

/**
 * The keys that seal the private keys of the keyring in Redis, 32 bytes each. The first one seals; both unseal, while the
 * first one replaces the second.
 */
export type KeyEncryptionKeys = readonly [Uint8Array] | readonly [Uint8Array, Uint8Array];

/**
 * Parses one or two lines of 32 bytes in base64url.
 *
 * @throws {RangeError} with the line and the fix; it does not quote the text
 */
export function parseKeyEncryptionKeys(text: string): KeyEncryptionKeys {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const [first, second, third] = lines.map((line, index) => parseKey(line.trim(), lines.length, index + 1));
  if (!first) throw new RangeError(`is empty: ${GENERATE}`);
  if (third)
    throw new RangeError('contains more than two keys: expected the new one and, below it, the one it replaces');
  if (!second) return [first];
  if (Buffer.from(first).equals(second)) throw new RangeError('contains the same key twice: remove the second line');
  return [first, second];
}

const GENERATE = "generate one with: openssl rand -base64 32 | tr '+/' '-_' | tr -d '='";

function parseKey(text: string, lines: number, line: number): Uint8Array {
  const where = lines > 1 ? `line ${line} ` : '';
  if (/^[A-Za-z0-9+/]+={1,2}$|[+/]/.test(text) && Buffer.from(text, 'base64').length === KEY_BYTES) {
    throw new RangeError(`${where}is base64, not base64url: convert it with tr '+/' '-_' | tr -d '='`);
  }
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw new RangeError(`${where}is not 32 bytes in base64url: ${GENERATE}`);
  if (bytes.length === KEY_BYTES) return bytes;
  throw new RangeError(`${where}is ${bytes.length} bytes in base64url, and must be ${KEY_BYTES}: ${GENERATE}`);
}

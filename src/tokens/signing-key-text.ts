import { createPrivateKey, createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import { findDataLoss } from '../clients/strict-json.ts';
import { FileContentError } from '../files/file-content-error.ts';
import { parsePrivateKeyFile, SeveralKeysError } from '../files/private-key.ts';
import { abbreviate } from '../text.ts';

/** The private key of a text, as far as it can be parsed. */
export interface ParsedKey {
  /** Undefined only if there is a problem. */
  readonly privateKey?: KeyObject | undefined;
  readonly publicKey?: KeyObject | undefined;
  /** The `alg` of a JWK. */
  readonly algorithm?: string | undefined;
  /** The `kid` of a JWK. */
  readonly keyId?: string | undefined;
  readonly problems: readonly string[];
  /** Parts of the text that are not read. */
  readonly warnings: readonly string[];
}

/**
 * Parses a private key: PEM (PKCS #8, SEC 1, PKCS #1) or JWK (RFC 7517).
 *
 * @throws {FileContentError} if the text is neither
 */
export function parseKeyText(text: string): ParsedKey {
  const trimmed = text.trim();
  if (/^[[{]/.test(trimmed)) return parseJwk(parseObject(trimmed));
  // A JWK beside a PEM block would count as the text that RFC 7468 §2 allows there.
  if (trimmed.includes('-----BEGIN ') && trimmed.includes('"kty"')) throw new FileContentError(SEVERAL_KEYS);
  return parsePem(trimmed);
}

const IN_A_DIRECTORY =
  'put each key into a file of its own in one directory, and set COUNTERSIGN_SIGNING_KEYS_DIR to that directory';
const SEVERAL_KEYS = `contains more than one key; ${IN_A_DIRECTORY}`;

function parsePem(text: string): ParsedKey {
  try {
    const { key, unread } = parsePrivateKeyFile(Buffer.from(text), { accepted: 'PEM or JWK' });
    return { privateKey: key, publicKey: createPublicKey(key), problems: [], warnings: unread };
  } catch (error) {
    if (error instanceof SeveralKeysError) throw new FileContentError(`${error.message}; ${IN_A_DIRECTORY}`);
    throw error;
  }
}

type JwkMembers = Readonly<Record<string, unknown>>;

/** Messages of JSON.parse may quote the key. */
function parseObject(text: string): JwkMembers {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Objects one after the other, or PEM after an object.
    if (/\}\s*(?:,\s*)?(?:\{|-----BEGIN )/.test(text)) throw new FileContentError(SEVERAL_KEYS);
    throw new FileContentError('the key looks like a JWK but is not valid JSON');
  }
  const loss = findDataLoss(text, value);
  if (loss) throw new FileContentError(`is a JWK with an ambiguous member: ${loss.message}`);
  const keys: unknown = Array.isArray(value) ? value : isObject(value) ? value.keys : undefined;
  if (Array.isArray(keys) && keys.length > 1) throw new FileContentError(SEVERAL_KEYS);
  if (isObject(value) && keys === undefined) return value;
  throw new FileContentError('is a JWK Set; set it to one of its keys, a JWK with its private members');
}

function isObject(value: unknown): value is JwkMembers {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJwk(jwk: JwkMembers): ParsedKey {
  const { alg, kid } = jwk;
  const { privateKey, publicKey, problem } = importJwk(jwk);
  const problems = [problem, useProblem(jwk), operationsProblem(jwk), algorithmProblem(jwk)];
  return {
    privateKey,
    publicKey,
    algorithm: typeof alg === 'string' ? alg : undefined,
    keyId: kid === undefined ? undefined : String(kid),
    problems: problems.filter((each) => each !== undefined),
    warnings: [],
  };
}

/** The members of private keys (RFC 7518 §6.2.2, §6.3.2, RFC 8037 §2, RFC 9964 §4). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'];
/** Optional in the RFC; OpenSSL requires them. */
const RSA_FACTORS = ['p', 'q', 'dp', 'dq', 'qi'];

function importJwk(jwk: JwkMembers): { privateKey?: KeyObject; publicKey?: KeyObject | undefined; problem?: string } {
  const publicMembers = Object.fromEntries(Object.entries(jwk).filter(([name]) => !PRIVATE_MEMBERS.includes(name)));
  const publicKey = tryImport(() => createPublicKey({ key: publicMembers as webcrypto.JsonWebKey, format: 'jwk' }));
  const privateMember = jwk.kty === 'AKP' ? 'priv' : 'd';
  if (jwk[privateMember] === undefined)
    return { publicKey, problem: `is a JWK without the private key: it has no "${privateMember}"` };
  if (jwk.oth !== undefined) return { publicKey, problem: 'is an RSA key with more than two primes (its "oth")' };
  const missing = jwk.kty === 'RSA' ? RSA_FACTORS.filter((name) => jwk[name] === undefined) : [];
  if (missing.length > 0) return { publicKey, problem: `is an RSA key without ${quoted(missing)}` };
  const privateKey = tryImport(() => createPrivateKey({ key: jwk as webcrypto.JsonWebKey, format: 'jwk' }));
  return privateKey ? { privateKey, publicKey } : { publicKey, problem: importProblem(jwk, publicKey) };
}

/** Messages of Node may quote the key. */
function tryImport(parse: () => KeyObject): KeyObject | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

function importProblem({ kty, crv, alg }: JwkMembers, publicKey: KeyObject | undefined): string {
  const type = [kty, crv ?? (kty === 'AKP' ? alg : undefined)].filter((name) => typeof name === 'string').join(' ');
  const name = `is a JWK (${abbreviate(type)})`;
  if (publicKey) return `${name} whose private part is damaged or does not match its public part`;
  const { node, openssl } = process.versions;
  return `${name} that is damaged, or of a type that Node.js ${node} with OpenSSL ${openssl} does not support`;
}

/** RFC 7517 §4.2 */
function useProblem({ use }: JwkMembers): string | undefined {
  return use === undefined || use === 'sig' ? undefined : `its "use" is ${written(use)}, and must be "sig" or absent`;
}

/** RFC 7517 §4.3: a key is not for unrelated operations, and none is named twice. */
function operationsProblem({ key_ops: operations }: JwkMembers): string | undefined {
  if (operations === undefined) return undefined;
  const expected = Array.isArray(operations) && new Set(operations).size === operations.length ? operations : [];
  if (expected.includes('sign') && expected.every((each) => each === 'sign' || each === 'verify')) return undefined;
  return `its "key_ops" is ${written(operations)}, and must be ["sign"], ["sign", "verify"] or absent`;
}

/** RFC 7517 §4.4 */
function algorithmProblem({ alg }: JwkMembers): string | undefined {
  return alg === undefined || typeof alg === 'string'
    ? undefined
    : `its "alg" is ${written(alg)}, and must be a string`;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

function written(value: unknown): string {
  return abbreviate(JSON.stringify(value));
}

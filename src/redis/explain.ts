import type { RedisAccess } from './connect.ts';
import { explainAclDenial, explainRefusal, type RefusedCommand } from './explain-refusal.ts';
import { UnexpectedReplyError } from './reply-shapes.ts';
import { SentinelRefusal } from './sentinel-connector.ts';
import type { RedisAddress } from './url.ts';

/** Turns an error into a problem for the operator: what is wrong, and which setting fixes it. */
export type ErrorExplainer = (error: Error) => string;

/**
 * Explains as {@link explainProblem} does, with the passwords of the URL redacted: a server's error may repeat the command
 * that it was sent.
 *
 * @param hasConnected whether a connection has succeeded before, so that the scheme of the URL is right
 */
export function explainerFor(
  { address }: Pick<RedisAccess, 'address'>,
  hasConnected: () => boolean = () => false,
): ErrorExplainer {
  const ofSentinels = address.kind === 'sentinel' ? [address.sentinelCredentials.password] : [];
  /** Those that were replaced as well: an error may be of an older connection. */
  const known = new Set<string | undefined>(ofSentinels);
  return (error) => {
    known.add(address.credentials.password);
    const passwords = [...known].filter((each) => each !== undefined);
    const explanation = explainProblem(error, { ...address, hasConnected: hasConnected() });
    return passwords.reduce((text, password) => text.replaceAll(password, '(password)'), explanation);
  };
}

/** What is known of the server: what the URL states, and whether a connection with this scheme has succeeded. */
type Expected = Partial<Pick<RedisAddress, 'isEncrypted' | 'kind'>> & { readonly hasConnected?: boolean };

/** Explains why Redis cannot be used, and which setting fixes it where one does. */
export function explainProblem(error: Error, expected: Expected = {}): string {
  const { isEncrypted = false, kind = 'server', hasConnected = false } = expected;
  if (error instanceof SentinelRefusal)
    return `${error.message}: ${explainSentinelReply(error.cause) ?? normalizeMessage(error.cause.message)}`;
  const cause = rootCause(error);
  const { message: original, code = '' } = cause;
  const message = normalizeMessage(original);
  const [isOfSentinels, lastError] = SENTINELS_FAILED.exec(message) ?? [];
  if (isOfSentinels !== undefined) return explainSentinels(lastError);
  if (AUTHENTICATION_FAILED.test(message)) return `${CHECK_CREDENTIALS} (${message})`;
  const problem =
    explainAclDenial(message, 'the user in COUNTERSIGN_REDIS_URL', cause.command) ?? explainRefusal(message, kind);
  if (problem !== undefined) return `${problem} (${firstSentence(message)})`;
  const certificateProblem = explainCertificate(message, code);
  if (certificateProblem !== undefined) return certificateProblem;
  if (/wrong version number/.test(message)) return `${message} (${tlsMismatch.encrypted.fix})`;
  const mismatch = tlsMismatch[isEncrypted ? 'encrypted' : 'plain'];
  // The whole message of ioredis when CLUSTER SLOTS times out.
  if (message === 'timeout')
    return `no cluster node replied to CLUSTER SLOTS${isEncrypted && !hasConnected ? ` (${mismatch.fix})` : ''}`;
  if (isUnreachableCluster(error)) return 'no cluster node is reachable';
  if (cause instanceof UnexpectedReplyError) return `${message}: check that only Redis, and no proxy, replies there`;
  return code === mismatch.code && !hasConnected ? `${message} (${mismatch.fix})` : message;
}

/** Some replies are paragraphs. */
function firstSentence(message: string): string {
  return /^.*?\.(?=\s)/s.exec(message)?.[0] ?? message;
}

/** Credentials are wrong or missing: waiting does not fix that. */
const AUTHENTICATION_FAILED = /\b(?:WRONGPASS|NOAUTH|ERR AUTH|invalid username-password)\b/;
const CHECK_CREDENTIALS = 'authentication failed: check the user name and password in COUNTERSIGN_REDIS_URL';
/** How a connection fails when only one side uses TLS. */
const tlsMismatch = {
  plain: { code: 'ECONNRESET', fix: 'typical of a server that requires TLS: try rediss://' },
  encrypted: { code: 'ETIMEDOUT', fix: 'typical of a server without TLS: try redis://' },
} as const;

function explainCertificate(message: string, code: string): string | undefined {
  if (UNTRUSTED_CERTIFICATE_CODES.has(code)) {
    return `the server certificate is not trusted: check COUNTERSIGN_REDIS_CA_FILE (${message})`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `the server certificate is for another name (${message})`;
  if (/certificate required/i.test(message)) {
    return `the server requires a client certificate: set COUNTERSIGN_REDIS_CERTIFICATE_FILE (${message})`;
  }
  if (CERTIFICATE_REJECTED.test(message)) {
    return `the server rejected the client certificate: check COUNTERSIGN_REDIS_CERTIFICATE_FILE (${message})`;
  }
  return undefined;
}

/** From OpenSSL and Node.js, about the server's certificate. */
const UNTRUSTED_CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_SIGNATURE_FAILURE',
]);

/** TLS alerts about our certificate (RFC 8446 §6.2): the server reports nothing else. */
const CERTIFICATE_REJECTED =
  /alert (?:bad certificate|unsupported certificate|certificate \w+|unknown ca|access denied)/i;

/** The server closed the connection before it replied to anything. Suggests TLS when the URL does not use it. */
export function explainClose(isEncrypted: boolean): string {
  return `the server closed the connection${isEncrypted ? '' : ` (${tlsMismatch.plain.fix})`}`;
}

/** Whether no sentinel or cluster node could be connected to. The error then holds no cause. */
export function isUnreachable(error: Error): boolean {
  return isUnreachableCluster(error) || CONNECTION_LOST.test(SENTINELS_FAILED.exec(error.message)?.[1] ?? '');
}

function isUnreachableCluster(error: NodeError): boolean {
  return CONNECTION_LOST.test(error.lastNodeError?.message ?? '');
}

/** From ioredis, for commands in flight when a connection ended, or sent after that. */
const CONNECTION_LOST =
  /^(?:Connection is closed\.|Command aborted due to|Stream isn't writeable|Reached the max retries)/;

/**
 * Rewrites the messages of ioredis, and drops what does not belong in a log: Redis repeats commands that it does not know,
 * perhaps with a password, and OpenSSL prefixes its source location.
 */
function normalizeMessage(message: string): string {
  if (/unknown command ['`]?(?:auth|hello)/i.test(message)) {
    return 'the server does not support AUTH: remove the user name and password from COUNTERSIGN_REDIS_URL';
  }
  if (CONNECTION_LOST.test(message)) return 'connection lost';
  if (message === 'Command timed out') return 'the server does not respond';
  if (message === '') return 'the server replied with an empty error';
  // The first byte of a TLS alert (RFC 8446 §5.1).
  if (message.startsWith('Unknown RESP type 21 ')) return 'the server requires TLS: try rediss://';
  // ioredis ends whatever it cannot decode with this.
  if (message.endsWith(' Please report this.')) return 'not a Redis server';
  const [, ofOpenSsl] = /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/.exec(message) ?? [];
  return ofOpenSsl ?? message.replace(/, with args beginning with.*/s, '').trim();
}

/** From ioredis, with the delay before the next attempt, and with the last error if there was one. */
const SENTINELS_FAILED = /^All sentinels are unreachable\.(?:.*? Last error: (.*)|.*)$/s;

function explainSentinels(lastError: string | undefined): string {
  if (lastError === undefined) return NO_MASTER_ADDRESS;
  if (CONNECTION_LOST.test(lastError)) return 'no sentinel is reachable';
  const error = new Error(lastError);
  return explainSentinelReply(error) ?? `${NO_MASTER_ADDRESS}: ${normalizeMessage(lastError)}`;
}

function explainSentinelReply(error: NodeError): string | undefined {
  const message = normalizeMessage(error.message);
  if (AUTHENTICATION_FAILED.test(message)) return `${CHECK_SENTINEL_CREDENTIALS} (${message})`;
  const problem =
    explainAclDenial(message, "the sentinels' user", error.command) ?? explainRefusal(message, 'sentinel');
  return problem === undefined ? undefined : `${problem} (${firstSentence(message)})`;
}

const NO_MASTER_ADDRESS = 'no sentinel returned the address of the master';
const CHECK_SENTINEL_CREDENTIALS =
  'the sentinels refuse access: check sentinel_username and sentinel_password in COUNTERSIGN_REDIS_URL';

type NodeError = Error & { code?: string; lastNodeError?: Error | null; command?: RefusedCommand };

/** Unwraps the error of a cluster node, and the first of several connection attempts. */
function rootCause(error: NodeError): NodeError {
  if (error.lastNodeError) return rootCause(error.lastNodeError);
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return rootCause(error.errors[0]);
  return error;
}

import type { RedisAccess } from './connect.ts';
import type { RedisAddress } from './url.ts';

/** Says in words what is wrong with a connection. */
export type ErrorExplainer = (error: Error) => string;

/** Says what {@link explainProblem} says, without the passwords of the URL: what answers there may repeat what it was sent. */
export function explainerFor({ address }: Pick<RedisAccess, 'address'>): ErrorExplainer {
  const ofSentinels = address.kind === 'sentinel' ? [address.sentinelCredentials.password] : [];
  const passwords = [address.credentials.password, ...ofSentinels].filter((each) => each !== undefined);
  return (error) => {
    const explanation = explainProblem(error, address);
    return passwords.reduce((text, password) => text.replaceAll(password, '(password)'), explanation);
  };
}

/** Redis answered, and will not serve us: waiting does not mend that. */
const AUTHENTICATION_FAILED = /\b(?:WRONGPASS|NOAUTH|ERR AUTH|invalid username-password)\b/;
/** It knows us, and will not do this for us. Of scripts Redis before 7 says it in words. */
const ACL_DENIED = /\b(?:NOPERM|user executing the script can't)\b/;

/** What OpenSSL and Node say of a server's certificate that is not by a CA we know, or not for this name. */
const UNTRUSTED_CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_SIGNATURE_FAILURE',
]);

/** Of our certificate, by an alert of TLS (RFC 8446 §6.2): the server says no more. */
const CERTIFICATE_REJECTED =
  /alert (?:bad certificate|unsupported certificate|certificate \w+|unknown ca|access denied)/i;
const CHECK_CERTIFICATE = 'see COUNTERSIGN_REDIS_CERTIFICATE_FILE';

/** What a server does to a connection that speaks TLS, or does not, where it expects the other. */
const tlsMismatch = {
  plain: { code: 'ECONNRESET', mend: 'a server that speaks TLS only does this to redis://, try rediss://' },
  encrypted: { code: 'ETIMEDOUT', mend: 'a server that does not speak TLS does this to rediss://, try redis://' },
} as const;

/** What ioredis says of commands that were under way, or came, when a connection ended. */
const CONNECTION_LOST =
  /^(?:Connection is closed\.|Command aborted due to|Stream isn't writeable|Reached the max retries)/;

/** What the address promises. */
type Expected = Partial<Pick<RedisAddress, 'isEncrypted' | 'kind'>>;

/** Says why Redis cannot be asked, and which setting mends it where one does. */
export function explainProblem(error: Error, { isEncrypted = false, kind = 'server' }: Expected = {}): string {
  const { message: said, code = '' } = rootCause(error);
  const message = normalizeMessage(said);
  const [isOfSentinels, ofSentinels] = SENTINELS_FAILED.exec(message) ?? [];
  if (isOfSentinels !== undefined) return explainSentinels(ofSentinels);
  if (AUTHENTICATION_FAILED.test(message)) {
    return `it refuses us, see user and password in COUNTERSIGN_REDIS_URL: ${message}`;
  }
  if (ACL_DENIED.test(message)) return `the ACL of the user in COUNTERSIGN_REDIS_URL forbids that: ${message}`;
  if (kind !== 'cluster' && /^(?:MOVED|ASK|CROSSSLOT)\b/.test(message)) {
    return `it is a node of a Cluster, begin COUNTERSIGN_REDIS_URL with redis+cluster://: ${message}`;
  }
  if (UNTRUSTED_CERTIFICATE_CODES.has(code)) {
    return `its certificate is not by a CA that we know, see COUNTERSIGN_REDIS_CA_FILE: ${message}`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another name: ${message}`;
  if (/certificate required/i.test(message)) return `it wants a certificate of ours, ${CHECK_CERTIFICATE}: ${message}`;
  if (CERTIFICATE_REJECTED.test(message)) return `it does not accept our certificate, ${CHECK_CERTIFICATE}: ${message}`;
  if (/wrong version number/.test(message)) return `${message} (${tlsMismatch.encrypted.mend})`;
  const sign = tlsMismatch[isEncrypted ? 'encrypted' : 'plain'];
  // ioredis has nothing more to say of the question which slots are where.
  if (message === 'timeout') return `no node answers CLUSTER SLOTS${isEncrypted ? ` (${sign.mend})` : ''}`;
  if (isUnreachableCluster(error)) return 'no node can be reached';
  return code === sign.code ? `${message} (${sign.mend})` : message;
}

/** What a server may do that ends the connection before it has answered anything, and what mends it where TLS does. */
export function explainClose(isEncrypted: boolean): string {
  return `it closes the connection${isEncrypted ? '' : ` (${tlsMismatch.plain.mend})`}`;
}

/** Whether there is no connection to any sentinel or node; of why, the error says nothing. */
export function isUnreachable(error: Error): boolean {
  return isUnreachableCluster(error) || CONNECTION_LOST.test(SENTINELS_FAILED.exec(error.message)?.[1] ?? '');
}

function isUnreachableCluster(error: NodeError): boolean {
  return CONNECTION_LOST.test(error.lastNodeError?.message ?? '');
}

/** Redis repeats what it does not understand, and that may be a password. Libraries say where in their code they are. */
function normalizeMessage(message: string): string {
  if (/unknown command ['`]?(?:auth|hello)/i.test(message)) {
    return 'it does not know AUTH; take user and password out of COUNTERSIGN_REDIS_URL';
  }
  if (CONNECTION_LOST.test(message)) return 'the connection was lost';
  if (message === 'Command timed out') return 'it does not answer';
  const [isUnknown, type] = /^Unknown RESP type (\d+)/.exec(message) ?? [];
  // The first octet of an alert of TLS (RFC 8446 §5.1).
  if (type === '21') return 'it speaks TLS only, try rediss://';
  if (isUnknown !== undefined) return 'what answers there is no Redis';
  const [, ofOpenSsl] = /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/.exec(message) ?? [];
  return ofOpenSsl ?? message.replace(/, with args beginning with.*/s, '').trim();
}

/** With a pause in it that grows, and with the last error where there was one. */
const SENTINELS_FAILED = /^All sentinels are unreachable\.(?:.*? Last error: (.*)|.*)$/s;

function explainSentinels(lastError: string | undefined): string {
  if (lastError === undefined) return 'no sentinel names the master';
  if (CONNECTION_LOST.test(lastError)) return 'no sentinel can be reached';
  const isRefusal = AUTHENTICATION_FAILED.test(lastError) || ACL_DENIED.test(lastError);
  const mend = isRefusal ? ', see sentinel_username and sentinel_password in COUNTERSIGN_REDIS_URL' : '';
  return `no sentinel names the master${mend}: ${normalizeMessage(lastError)}`;
}

type NodeError = Error & { code?: string; lastNodeError?: Error | null };

/** ioredis wraps the error of a cluster's node, and several attempts at once come as one. */
function rootCause(error: NodeError): { message: string; code?: string } {
  if (error.lastNodeError) return rootCause(error.lastNodeError);
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return rootCause(error.errors[0]);
  return error;
}

/** Redis answered, and will not serve us: waiting does not mend that. Of scripts Redis before 7 says it in words. */
const REFUSALS = /\b(?:WRONGPASS|NOAUTH|NOPERM|ERR AUTH|invalid username-password|user executing the script can't)\b/;

/** What OpenSSL and Node say of a server's certificate that is not by a CA we know, or not for this name. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_SIGNATURE_FAILURE',
]);

/** What a server does to a connection that speaks TLS, or does not, where it expects the other. */
const signsOfTheOther = {
  plain: { code: 'ECONNRESET', mend: 'a server that speaks TLS only does this to redis://, try rediss://' },
  encrypted: { code: 'ETIMEDOUT', mend: 'a server that does not speak TLS does this to rediss://, try redis://' },
} as const;

/** Says why Redis cannot be asked, and which setting mends it where one does. */
export function explainProblem(error: Error, isEncrypted = false): string {
  const { message: said, code = '' } = causeOf(error);
  const message = withoutArguments(said);
  const [isOfSentinels, ofSentinels] = SENTINELS.exec(message) ?? [];
  if (isOfSentinels !== undefined) return explainSentinels(ofSentinels);
  if (REFUSALS.test(message)) {
    return `it refuses us, see user and password in COUNTERSIGN_REDIS_URL, and its ACL: ${message}`;
  }
  if (CERTIFICATE_CODES.has(code)) {
    return `its certificate is not by a CA that we know, see COUNTERSIGN_REDIS_CA_FILE: ${message}`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another name: ${message}`;
  if (/certificate required|alert bad certificate|alert unknown ca/i.test(message)) {
    return `it wants another certificate of ours, see COUNTERSIGN_REDIS_CERTIFICATE_FILE: ${message}`;
  }
  // ioredis has nothing more to say of the question which slots are where.
  if (message === 'timeout') return `no node answers CLUSTER SLOTS; ${signsOfTheOther.encrypted.mend}`;
  if (message === 'Command timed out') return 'it does not answer';
  const sign = signsOfTheOther[isEncrypted ? 'encrypted' : 'plain'];
  return code === sign.code ? `${message}; ${sign.mend}` : message;
}

/** Redis repeats what it does not understand, and that may be a password. */
function withoutArguments(message: string): string {
  if (/unknown command ['`]?(?:auth|hello)/i.test(message)) {
    return 'it does not know AUTH; take user and password out of COUNTERSIGN_REDIS_URL';
  }
  return message.replace(/, with args beginning with.*/s, '');
}

/** With a pause in it that grows, and with the last error where there was one. */
const SENTINELS = /^All sentinels are unreachable\.(?:.*? Last error: (.*)|.*)$/s;

function explainSentinels(lastError: string | undefined): string {
  if (lastError === undefined) return 'no sentinel names the master';
  const mend = REFUSALS.test(lastError) ? ', see sentinel_username and sentinel_password in COUNTERSIGN_REDIS_URL' : '';
  return `no sentinel names the master${mend}: ${lastError}`;
}

/** ioredis wraps the error of a cluster's node, and several attempts at once come as one. */
function causeOf(error: Error & { code?: string; lastNodeError?: Error | null }): { message: string; code?: string } {
  if (error.lastNodeError) return causeOf(error.lastNodeError);
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return causeOf(error.errors[0]);
  return error;
}

import { expect, test } from 'vitest';
import { explainProblem } from '../../src/redis/explain-problem.ts';

const withCode = (message: string, code: string) => Object.assign(new Error(message), { code });

/** What ioredis says, as it was seen with real servers, and what the operator reads. */
test.each([
  [
    new Error('WRONGPASS invalid username-password pair'),
    false,
    /^it refuses us, see user and password in .*: WRONGPASS/,
  ],
  [
    new Error("ERR unknown command 'auth', with args beginning with: 'user' 'S3cret'"),
    false,
    /^it does not know AUTH; take user and password out of COUNTERSIGN_REDIS_URL$/,
  ],
  [new Error("ERR unknown command 'get', with args beginning with: 'S3cret'"), false, /^ERR unknown command 'get'$/],
  [new Error("NOPERM this user has no permissions to run the 'get' command"), false, /ACL: NOPERM/],
  [
    new Error("ERR Error running script (call to f_9c): @user_script:5: The user executing the script can't run this"),
    false,
    /see user and password .*, and its ACL: /,
  ],
  [withCode('self-signed certificate in certificate chain', 'SELF_SIGNED_CERT_IN_CHAIN'), true, /REDIS_CA_FILE/],
  [withCode('Hostname/IP does not match', 'ERR_TLS_CERT_ALTNAME_INVALID'), true, /for another name/],
  [new Error('ssl/tls alert certificate required'), true, /REDIS_CERTIFICATE_FILE/],
  [withCode('read ECONNRESET', 'ECONNRESET'), false, /try rediss:/],
  [withCode('read ECONNRESET', 'ECONNRESET'), true, /^read ECONNRESET$/],
  [withCode('connect ETIMEDOUT', 'ETIMEDOUT'), true, /try redis:/],
  [withCode('connect ETIMEDOUT', 'ETIMEDOUT'), false, /^connect ETIMEDOUT$/],
  [
    new Error('All sentinels are unreachable. Retrying from scratch after 800ms. Last error: ERR No such master'),
    false,
    /^no sentinel names the master: ERR No such master$/,
  ],
  [
    new Error('All sentinels are unreachable. Retrying from scratch after 10ms. Last error: NOAUTH HELLO must'),
    false,
    /see sentinel_username and sentinel_password .*: NOAUTH/,
  ],
  [
    new Error('All sentinels are unreachable. Retrying from scratch after 100ms.'),
    false,
    /^no sentinel names the master$/,
  ],
  [
    Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: new Error('WRONGPASS x') }),
    false,
    /WRONGPASS/,
  ],
  [new AggregateError([withCode('connect ECONNREFUSED ::1:1', 'ECONNREFUSED')], ''), false, /ECONNREFUSED/],
])('%s', (error, isEncrypted, explanation) => {
  expect(explainProblem(error, isEncrypted)).toMatch(explanation);
});

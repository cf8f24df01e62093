import { expect, test } from 'vitest';
import { explainProblem } from '../../src/redis/explain.ts';
import { UnexpectedReplyError } from '../../src/redis/reply-shapes.ts';

/** A TLS alert as Node 24 and later report it. */
const opensslError = (text: string, number: number) =>
  `40636EFFC87F0000:error:${text}:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1605:SSL alert number ${number}\n`;
const withCode = (message: string, code: string) => Object.assign(new Error(message), { code });

/** An error reply, as ioredis reports it. */
const refused = (message: string, name: string, ...args: string[]) =>
  Object.assign(new Error(message), { command: { name, args } });

const slotsFailed = (message: string) =>
  Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: new Error(message) });

/** Errors of ioredis, as observed with real servers, and what the operator reads. */
test.each([
  [
    new Error('WRONGPASS invalid username-password pair'),
    false,
    /^authentication failed: check the user name and password in COUNTERSIGN_REDIS_URL \(WRONGPASS/,
  ],
  [
    new Error("ERR unknown command 'auth', with args beginning with: 'user' 'S3cret'"),
    false,
    /^the server does not support AUTH: remove the user name and password from COUNTERSIGN_REDIS_URL$/,
  ],
  [new Error('MOVED 2301 127.0.0.1:7411'), false, /use redis\+cluster:\/\/ in COUNTERSIGN_REDIS_URL \(MOVED/],
  [new Error("CROSSSLOT Keys in request don't hash to the same slot"), false, /redis\+cluster:\/\//],
  [
    new Error("ERR unknown command 'get', with args beginning with: 'S3cret'"),
    false,
    /^the server does not support a command, or has it renamed \(ERR unknown command 'get'\)$/,
  ],
  [
    new Error("NOPERM this user has no permissions to run the 'get' command"),
    false,
    /^the ACL of the user in COUNTERSIGN_REDIS_URL lacks \+get \(NOPERM/,
  ],
  [
    new Error("ERR Error running script (call to f_9c): @user_script:5: The user executing the script can't run this"),
    false,
    /^the ACL of the user in COUNTERSIGN_REDIS_URL lacks a command that a script calls: .*file:\/\/\/.*\/docs\/redis\.md \(/,
  ],
  [withCode('self-signed certificate in certificate chain', 'SELF_SIGNED_CERT_IN_CHAIN'), true, /REDIS_CA_FILE/],
  [withCode('Hostname/IP does not match', 'ERR_TLS_CERT_ALTNAME_INVALID'), true, /for another name/],
  [
    new Error(opensslError('0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required', 116)),
    true,
    /^the server requires a client certificate: set COUNTERSIGN_REDIS_CERTIFICATE_FILE \(tlsv13 alert certificate required\)$/,
  ],
  [
    new Error(opensslError('0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca', 48)),
    true,
    /^the server rejected the client certificate: check COUNTERSIGN_REDIS_CERTIFICATE_FILE \(tlsv1 alert unknown ca\)$/,
  ],
  [new Error('ssl/tls alert certificate expired'), true, /^the server rejected the client certificate/],
  [
    new Error(
      '40E32CB3D67F0000:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../a.c:78:\n',
    ),
    true,
    /^wrong version number \(.*: try redis:\/\/\)$/,
  ],
  [new Error('other\n'), true, /^other$/],
  [withCode('read ECONNRESET', 'ECONNRESET'), false, /try rediss:/],
  [withCode('read ECONNRESET', 'ECONNRESET'), true, /^read ECONNRESET$/],
  [withCode('connect ETIMEDOUT', 'ETIMEDOUT'), true, /try redis:/],
  [withCode('connect ETIMEDOUT', 'ETIMEDOUT'), false, /^connect ETIMEDOUT$/],
  [
    new Error('All sentinels are unreachable. Retrying from scratch after 800ms. Last error: ERR No such master'),
    false,
    /^the sentinels do not monitor this master: check its name in COUNTERSIGN_REDIS_URL \(ERR No such master\)$/,
  ],
  [
    new Error('All sentinels are unreachable. Retrying from scratch after 10ms. Last error: NOAUTH HELLO must'),
    false,
    /check sentinel_username and sentinel_password .* \(NOAUTH/,
  ],
  [
    new Error('All sentinels are unreachable. Retrying from scratch after 100ms.'),
    false,
    /^no sentinel returned the address of the master$/,
  ],
  [
    new Error('All sentinels are unreachable. Retrying from scratch after 100ms. Last error: Connection is closed.'),
    false,
    /^no sentinel is reachable$/,
  ],
  [
    new Error('All sentinels are unreachable. Retrying from scratch after 100ms. Last error: Command timed out'),
    false,
    /^no sentinel returned the address of the master: the server does not respond$/,
  ],
  [slotsFailed('WRONGPASS x'), false, /WRONGPASS/],
  [
    new Error(
      "All sentinels are unreachable. Retrying from scratch after 10ms. Last error: NOPERM User sentinel has no permissions to run the 'sentinel|sentinels' command",
    ),
    false,
    /^the ACL of the sentinels' user lacks \+sentinel\|sentinels \(NOPERM/,
  ],
  [
    refused("NOPERM this user has no permissions to run the 'client' command or its subcommand", 'CLIENT', 'TRACKING'),
    false,
    /^the ACL of the user in COUNTERSIGN_REDIS_URL lacks \+client\|tracking \(NOPERM/,
  ],
  [
    refused(
      'NOPERM this user has no permissions to access one of the keys used as arguments',
      'get',
      'countersign:registry',
    ),
    false,
    /lacks the key countersign:registry, or its pattern \(NOPERM/,
  ],
  [refused('NOPERM No permissions to access a key', 'EVALSHA', '0a1b'), false, /lacks a key, or its pattern \(NOPERM/],
  [refused('NOPERM No permissions to access a channel', 'subscribe', 'changes'), false, /lacks &changes \(NOPERM/],
  [
    new Error(
      'DENIED Redis is running in protected mode because protected mode is enabled and no password is set. In this mode connections are only accepted from the loopback interface.',
    ),
    false,
    /^the server is in protected mode: configure a user and password for it \(DENIED [^.]*no password is set\.\)$/,
  ],
  [new Error('ERR SELECT is not allowed in cluster mode'), false, /use redis\+cluster:\/\//],
  [new Error('ERR This instance has cluster support disabled'), false, /not a Redis Cluster node: use redis:\/\//],
  [new Error(''), false, /^the server replied with an empty error$/],
  [new Error('Invalid array length. Please report this.'), false, /^not a Redis server$/],
  [new UnexpectedReplyError('unexpected reply to INFO'), false, /^unexpected reply to INFO: check that only Redis/],
  [slotsFailed('Connection is closed.'), false, /^no cluster node is reachable$/],
  [new Error('timeout'), false, /^no cluster node replied to CLUSTER SLOTS$/],
  [new Error('timeout'), true, /^no cluster node replied to CLUSTER SLOTS .*try redis:/],
  [new Error("Stream isn't writeable and enableOfflineQueue options is false"), false, /^connection lost$/],
  [new Error('Reached the max retries per request limit (which is 0). Refer'), false, /^connection lost$/],
  [new Error('Command aborted due to connection close'), false, /^connection lost$/],
  [new Error('Connection is closed.'), false, /^connection lost$/],
  [new Error('Command timed out'), false, /^the server does not respond$/],
  [new Error('Unknown RESP type 72 "H". Please report this.'), false, /^not a Redis server$/],
  [
    new Error('Unknown RESP type 21 "\u{15}". Please report this.'),
    false,
    /^the server requires TLS: try rediss:\/\/$/,
  ],
  [new AggregateError([withCode('connect ECONNREFUSED ::1:1', 'ECONNREFUSED')], ''), false, /ECONNREFUSED/],
])('explainProblem explains "%s" (TLS: %s)', (error, isEncrypted, explanation) => {
  expect(explainProblem(error, { isEncrypted })).toMatch(explanation);
});

test('explainProblem does not suggest another scheme once a connection has succeeded', () => {
  const reset = withCode('read ECONNRESET', 'ECONNRESET');
  expect(explainProblem(reset, { hasConnected: true })).toBe('read ECONNRESET');
});

test('explainProblem names a redirection without an address', () => {
  expect(explainProblem(new Error('MOVED 5 :6379'), { kind: 'cluster' })).toMatch(/without an address/);
});

test('explainProblem does not suggest redis+cluster:// after MOVED when the URL has it already', () => {
  expect(explainProblem(new Error('MOVED 2301 127.0.0.1:7411'), { kind: 'cluster' })).toBe('MOVED 2301 127.0.0.1:7411');
});

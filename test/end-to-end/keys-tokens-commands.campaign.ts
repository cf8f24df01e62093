import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { runCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { accessToken, openTokenRevocations } from '../support/token-revocations.ts';

describeWith(['redis-server'], 'countersign tokens', () => {
  const prefix = keyPrefix();
  const env = { COUNTERSIGN_REDIS_URL: redisUrl(), COUNTERSIGN_REDIS_KEY_PREFIX: prefix };
  const run = (...args: readonly string[]) => runCountersign(['tokens', ...args], { env });
  let redis: Redis;
  beforeAll(async () => {
    redis = new Redis(redisUrl());
    const resource = { name: 'invoices', resource: 'https://invoices.example', scope: 'read', binding: 'caller' };
    await redis.set(`${prefix}resource:invoices`, JSON.stringify(resource));
    await redis.set(`${prefix}resource:broken`, '{"name":"broken"}');
  });
  afterAll(() => redis?.disconnect());

  async function openReplica() {
    const replica = await openTokenRevocations(redisUrl(), { prefix });
    onTestFinished(replica.close);
    await replica.untilSynced();
    return replica.revocations;
  }
  const seconds = () => Math.floor(Date.now() / 1000);
  const instant = (time: number) => new Date(time * 1000).toISOString().replace('.000Z', 'Z');

  test('revoke --jti revokes one token', async () => {
    const revocations = await openReplica();
    const token = accessToken();
    const { code, stdout, stderr } = await run('revoke', '--jti', token.tokenId);
    expect([code, stdout, stderr]).toEqual([0, `token ${token.tokenId} is revoked\n`, '']);
    await eventually(
      () => revocations.check(token) === 'is revoked',
      () => 'it is not revoked',
    );
    expect(revocations.check(accessToken())).toBe(undefined);
  });

  test('revoke --client revokes what was issued until a moment, and never less than before', async () => {
    const revocations = await openReplica();
    const [early, late] = [seconds() - 600, seconds() - 300];
    const clientId = 'billing';
    const revoke = (time: number) => run('revoke', '--client', clientId, '--before', instant(time), '-o', 'json');
    const missing = `countersign: warning: client ${clientId} is not in Redis: check its client_id\n`;
    const revoked = await revoke(late);
    expect([revoked.code, revoked.stderr, JSON.parse(revoked.stdout)]).toEqual([
      0,
      missing,
      { kind: 'client', value: clientId, before: instant(late), expires_at: instant(late + 86_705) },
    ]);
    expect((await revoke(early)).code).toBe(0);
    const reason = `is revoked, as every token of client "billing" that was issued until ${new Date(late * 1000).toISOString()}`;
    const atCutOff = accessToken({ issuedAt: late });
    await eventually(
      () => revocations.check(atCutOff) === reason,
      () => `${revocations.check(atCutOff)}`,
    );
    expect(revocations.check(accessToken({ issuedAt: late + 1 }))).toBe(undefined);
    expect(revocations.check(accessToken({ issuedAt: late, clientId: 'other' }))).toBe(undefined);
    // A replica that starts now reads the keys and the stream.
    expect((await openReplica()).check(atCutOff)).toBe(reason);
    const listed = JSON.parse((await run('revoked', '-o', 'json')).stdout);
    const ofClient = listed.revocations.filter(({ kind }: { kind: string }) => kind === 'client');
    expect(ofClient).toEqual([
      {
        kind: 'client',
        value: clientId,
        before: instant(late),
        expires_at: instant(late + 86_705),
        revoked_at: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
  });

  test.each([
    ['by its name', 'invoices', 'https://invoices.example'],
    ['by its URI, without a record', 'https://gone.example', 'https://gone.example'],
  ])('revoke --resource revokes every token for it until now, %s', async (_, resource, audience) => {
    const revocations = await openReplica();
    const { code, stdout, stderr } = await run('revoke', '--resource', resource);
    const [, until = ''] = /until (\S+) is revoked\n$/.exec(stdout) ?? [];
    expect([code, stderr, stdout]).toEqual([
      0,
      '',
      `every token for ${audience} that was issued until ${until} is revoked\n`,
    ]);
    expect(Math.abs(Date.parse(until) / 1000 - seconds())).toBeLessThan(60);
    const token = accessToken({ audience: ['https://other.example', audience] });
    await eventually(
      () => /^is revoked, as every token for/.test(`${revocations.check(token)}`),
      () => `${revocations.check(token)}`,
    );
    expect(revocations.check(accessToken({ audience: ['https://other.example'] }))).toBe(undefined);
    const later = Date.parse(until) / 1000 + 1;
    expect(revocations.check(accessToken({ audience: [audience], issuedAt: later }))).toBe(undefined);
  });

  test('revoked lists what is in force, the latest first', async () => {
    await redis.xadd(`${prefix}revocations`, '*', 'jti', 'expired', 'exp', String(seconds() - 1));
    await run('revoke', '--jti', 'the-latest');
    const { code, stdout, stderr } = await run('revoked', '-o', 'wide');
    expect([code, stderr]).toEqual([0, '']);
    const [heading, latest] = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(heading).toEqual(['KIND', 'VALUE', 'ISSUED UNTIL', 'REVOKED', 'EXPIRES']);
    expect(latest?.slice(0, 3)).toEqual(['jti', 'the-latest', 'any time']);
    expect(stdout).not.toContain('expired');
  });

  test.each<[args: readonly string[], code: number, reason: RegExp]>([
    [[], 2, /expected exactly one of --client, --resource and --jti/],
    [['--client', 'a', '--jti', 'b'], 2, /expected exactly one of/],
    [['--client', 'ä'], 2, /--client: "ä" is not a client_id: expected 1 to 255 printable ASCII characters\n/],
    [['--client', ''], 2, /--client: "" is not a client_id/],
    [['--jti', 'a b'], 2, /--jti: "a b" is not a jti: expected 1 to 255 printable ASCII characters without spaces\n/],
    [['--jti', 'a', '--before', '2026-11-30T08:00:00Z'], 2, /--before has no effect on a single token: remove it/],
    [['--client', 'a', '--before', 'yesterday'], 2, /--before: "yesterday" is not an instant such as/],
    [['--client', 'a', '--before', '2026-11-30'], 2, /--before: "2026-11-30" is not an instant such as/],
    [['--client', 'a', '--before', '2026-13-30T08:00:00Z'], 2, /is not an instant such as/],
    [['--client', 'a', '--before', '2099-01-01T00:00:00Z'], 2, /--before: is more than 5 minutes ahead/],
    [
      ['--client', 'a', '--before', '2020-01-01T00:00:00Z'],
      2,
      /--before: is so long ago that every token .* has expired/,
    ],
    [['--resource', 'Invoices'], 2, /--resource: "Invoices" is neither the name of a resource nor an absolute URI/],
    [
      ['--resource', 'missing'],
      1,
      /resource missing is not in Redis; pass the URI that its tokens have in aud instead/,
    ],
    [['--resource', 'broken'], 1, /resource broken has an invalid record \(resource: is missing\); pass the URI/],
  ])('revoke %j changes nothing, and exits with %i', async (args, code, reason) => {
    const before = await redis.xlen(`${prefix}revocations`);
    const failed = await run('revoke', ...args);
    expect([failed.code, failed.stdout, failed.stderr]).toEqual([code, '', expect.stringMatching(reason)]);
    expect(await redis.xlen(`${prefix}revocations`)).toBe(before);
  });

  test('revoke and revoked name a key that does not hold a stream', async () => {
    const other = keyPrefix();
    await redis.set(`${other}revocations`, 'x');
    for (const args of [['revoke', '--jti', 'a'], ['revoked']]) {
      const failed = await runCountersign(['tokens', ...args], {
        env: { ...env, COUNTERSIGN_REDIS_KEY_PREFIX: other },
      });
      expect([failed.code, failed.stderr]).toEqual([
        1,
        expect.stringMatching(
          new RegExp(`^countersign: Redis at \\S+: the key ${other}revocations does not hold a stream: delete it\n$`),
        ),
      ]);
    }
  });

  test('revoked lists an entry whose id is later than any time', async () => {
    const other = keyPrefix();
    const fields = ['client', 'billing', 'before', '4294967294', 'exp', '4294967295'];
    await redis.xadd(`${other}revocations`, '18446744073709551615-0', ...fields);
    const { code, stdout } = await runCountersign(['tokens', 'revoked', '-o', 'json'], {
      env: { ...env, COUNTERSIGN_REDIS_KEY_PREFIX: other },
    });
    expect([code, stdout]).toEqual([0, expect.stringContaining('"revoked_at":"9999-12-31T23:59:59.999Z"')]);
  });
});

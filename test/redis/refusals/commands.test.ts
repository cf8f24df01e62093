import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSigned } from '../../support/certificates.ts';
import { runCountersign } from '../../support/countersign.ts';
import { describeWith } from '../../support/describe-with.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { type RefusingRedis, startRefusingRedis } from './refusing-redis.ts';
import { errorReplies, wrongTypes } from './replies.ts';

const file = join(temporaryDirectory(), 'clients.json');
const record = {
  client_id: 'a',
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ thumbprint: selfSigned().thumbprint }],
};
writeFileSync(file, JSON.stringify([record]));

const commands = { list: ['clients', 'list'], apply: ['clients', 'apply', '-f', file] } as const;

describeWith(['redis-server'], 'countersign clients, when Redis refuses', () => {
  let redis: RefusingRedis;
  beforeAll(async () => {
    redis = await startRefusingRedis('server');
  });
  afterAll(() => redis?.stop());

  test.each([
    [
      'list',
      'SELECT',
      '-ERR DB index is out of range\r\n',
      /no database of this number: check the one in COUNTERSIGN_REDIS_URL/,
    ],
    ['list', 'SCAN', wrongTypes['an array of nil'], /unexpected reply to SCAN/],
    ['list', 'HELLO', '-ERR max number of clients reached\r\n', /too many connections: increase maxclients/],
    ['apply', 'EVALSHA_RO', wrongTypes.nil, /unexpected reply to a script/],
    ['apply', 'EVALSHA', errorReplies.MISCONF, /rejects writes because it cannot save its data/],
    ['apply', 'EVALSHA', wrongTypes['a push of nil'], /unexpected reply/],
  ] as const)('%s ends with the reason if it is %s with %j', async (command, refused, reply, reason) => {
    redis.setRule(([word]) => (word === refused ? reply : undefined));
    const { code, stderr } = await runCountersign(commands[command], { env: { COUNTERSIGN_REDIS_URL: redis.url } });
    expect(redis.refused()).not.toEqual([]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(reason)]);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import { preparedForFirst } from '../support/prepared-work.ts';
import { requestBytes } from '../support/raw-http.ts';
import { connectRedis, keyPrefix, redisUrl } from '../support/redis.ts';
import { startServiceInProcess } from '../support/service.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const record = {
  client_id: 'a',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: 'a.example',
  scope: 'read write',
  audience: { read: 'https://a.example' },
  isolated_audience: { write: 'https://b.example' },
  claims: { tenant: 'a' },
};
const ca = createTestCa();
const request = requestBytes({
  lines: [
    `X-SSL-Client-Cert: ${encodeURIComponent(ca.issue({ dns: ['a.example'] }).pem)}`,
    'X-SSL-Client-Verify: SUCCESS',
  ],
  body: { grant_type: 'client_credentials', client_id: 'a', resource: 'https://b.example' },
});

test('1,000 tokens of a client in a file repeat nothing that was prepared for the first', async () => {
  const file = join(temporaryDirectory(), 'clients.json');
  writeFileSync(file, JSON.stringify([record]));
  expect(await preparedForFirstToken({ COUNTERSIGN_CLIENTS_FILE: file })).toEqual([
    'certificate',
    'address of the proxy',
    'path',
  ]);
});

test('1,000 tokens of a client in Redis repeat nothing that was prepared for the first', async () => {
  const prefix = keyPrefix();
  const { client, close } = connectRedis();
  await client.set(`${prefix}client:a`, JSON.stringify(record));
  const env = { COUNTERSIGN_REDIS_URL: redisUrl(), COUNTERSIGN_REDIS_KEY_PREFIX: prefix };
  const expected = ['schema', 'record', 'lookup in Redis', 'certificate', 'address of the proxy', 'path'];
  expect(await preparedForFirstToken(env).finally(close)).toEqual(expected);
});

/**
 * What a server prepares for its first token.
 *
 * @throws {Error} if a thousand others repeat some of it each time
 */
async function preparedForFirstToken(clients: Readonly<Record<string, string>>): Promise<string[]> {
  const { address, close } = await startServiceInProcess(ca.pem, clients);
  try {
    return await preparedForFirst({
      address,
      request,
      end: '}',
      count: 1_000,
      calls: [
        ['src/tokens/signing-key.ts', 'sign', 1],
        // A resource that is spelled as registered is looked up as it is.
        ['src/oauth/canonical-uri.ts', 'canonicalUri', 0],
        // One pass over the header of each request.
        ['src/http/header-fields.ts', 'HeaderFields', 1],
      ],
    });
  } finally {
    await close();
  }
}

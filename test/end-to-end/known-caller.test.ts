import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { alternativeNameIdentity, identityKey } from '../../src/clients/identities.ts';
import { createTestCa } from '../support/certificates.ts';
import { commandsOf } from '../support/commands-of-redis.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { exact } from '../support/forged-headers.ts';
import { type KnownRequests, portOf, preparedForFirst } from '../support/prepared-work.ts';
import { programPath } from '../support/program-path.ts';
import { requestBytes, sendRequest } from '../support/raw-http.ts';
import { startRedis } from '../support/redis-server.ts';
import { type ServiceInProcess, startServiceInProcess } from '../support/service.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CHECKS = 1_000;
const client = {
  client_id: 'a',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: 'a.example',
  scope: 'read write',
  audience: 'https://api.example',
};
const resource = {
  name: 'api',
  resource: 'https://api.example',
  scope: 'read',
  binding: 'caller',
  // Half of it is longer than the checks take.
  access_token_lifetime: 300,
  forward: 'original',
};
const ca = createTestCa();
const forwarded = exact(ca.issue({ dns: ['a.example'] }));

test('1,000 checks of a caller in a file repeat nothing that was prepared for the first', async () => {
  const file = join(temporaryDirectory(), 'records.json');
  writeFileSync(file, JSON.stringify([client, resource]));
  await using service = await startEdge({ COUNTERSIGN_CLIENTS_FILE: file });
  expect(await preparedForFirst(mintingOf(service))).toEqual(['certificate', 'address of the proxy', 'path']);
  // Only the first one with this token verifies a signature.
  expect(await preparedForFirst(await verificationOf(service))).toEqual(['jose']);
  expect(edgeEventsOf(service)).toEqual(['edge_token_minted', 'edge_token_verified']);
});

describeWith(['redis-server'], 'with clients in Redis,', () => {
  test('1,000 checks of a known caller repeat nothing, and send no command to Redis', async () => {
    await using server = await startRedisWithRecords();
    const { redis, url } = server;
    await using service = await startEdge({ COUNTERSIGN_REDIS_URL: url });
    const minting = mintingOf(service);
    const expected = ['schema', 'record', 'lookup in Redis', 'certificate', 'address of the proxy', 'path'];
    expect(await preparedForFirst({ ...minting, count: 1 })).toEqual(expected);
    const verification = await verificationOf(service);
    expect(await preparedForFirst({ ...verification, count: 1 })).toContain('jose');
    // A process that was suspended reads the records again, and mints a token for what it has read.
    let [repeated, sent, events]: [readonly unknown[], number, readonly unknown[]] = [[], 0, []];
    await eventually(
      async () => {
        const [before, seen] = [await commandsOf(redis), edgeEventsOf(service).length];
        repeated = [...(await preparedForFirst(minting)), ...(await preparedForFirst(verification))];
        sent = (await commandsOf(redis)) - before;
        events = edgeEventsOf(service).slice(seen);
        return repeated.length === 0 && sent === 0;
      },
      () => `${sent} commands were sent to Redis, and repeated: ${repeated}`,
    );
    expect(events).toEqual([]);
  });
});

async function startEdge(records: Readonly<Record<string, string>>) {
  const service = await startServiceInProcess(ca.pem, { COUNTERSIGN_EDGE_LISTEN: '127.0.0.1:0', ...records });
  return Object.assign(service, { [Symbol.asyncDispose]: () => service.close() });
}

async function startRedisWithRecords() {
  const server = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
  const redis = new Redis(server.port);
  await redis.set('countersign:client:a', JSON.stringify(client));
  await redis.set('countersign:resource:api', JSON.stringify(resource));
  await redis.sadd(`countersign:identity:${identityKey(alternativeNameIdentity('dns', 'a.example'))}`, 'a');
  const stop = async () => {
    redis.disconnect();
    await server.stop();
  };
  return { redis, url: server.url, [Symbol.asyncDispose]: stop };
}

/** No check after the first one signs, verifies a signature or writes to the audit log. */
const calls: KnownRequests['calls'] = [
  // One pass over the header of each check.
  ['src/http/header-fields.ts', 'HeaderFields', 1],
  ['src/tokens/signing-key.ts', 'sign', 0],
  ['src/tokens/verify-access-token.ts', 'decodeSegments', 0],
  ['src/observability/log-output.ts', 'append', 0],
];

function checksOf({ edgeAddress }: ServiceInProcess, path: string, lines: readonly string[]): KnownRequests {
  if (!edgeAddress) throw new Error('there is no edge listener');
  const request = requestBytes({ method: 'GET', path, lines: [...forwarded, ...lines] });
  return { address: edgeAddress, request, end: '\r\n\r\n', count: CHECKS, calls };
}

const mintingOf = (service: ServiceInProcess) => checksOf(service, '/edge/mint/api', []);

async function verificationOf(service: ServiceInProcess): Promise<KnownRequests> {
  const body = { grant_type: 'client_credentials', client_id: 'a' };
  const response = await sendRequest(`http://127.0.0.1:${portOf(service.address)}`, { lines: forwarded, body });
  return checksOf(service, '/edge/verify/api', [`Authorization: Bearer ${response.json().access_token}`]);
}

function edgeEventsOf({ lines }: ServiceInProcess): unknown[] {
  const events = lines.map((line) => JSON.parse(line).event);
  return events.filter((event) => String(event).startsWith('edge_') && event !== 'edge_listening');
}

import { on } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { ListenAddress } from '../../src/http/listen-address.ts';
import { createLog, restoredLine } from '../../src/observability/log.ts';
import { LogOutput } from '../../src/observability/log-output.ts';
import { startService } from '../../src/service/service.ts';
import { createTestCa } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { countCalls, type FunctionCalls } from '../support/function-calls.ts';
import { openssl } from '../support/openssl.ts';
import { requestBytes } from '../support/raw-http.ts';
import { connectRedis, keyPrefix, redisUrl } from '../support/redis.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const TOKENS = 1_000;
const CONNECTIONS = 8;
const record = {
  client_id: 'a',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: 'a.example',
  scope: 'read write',
  audience: { read: 'https://a.example', write: 'https://b.example' },
  claims: { tenant: 'a' },
};
const ca = createTestCa();
const request = requestBytes({
  lines: [
    `X-SSL-Client-Cert: ${encodeURIComponent(ca.issue({ dns: ['a.example'] }).pem)}`,
    'X-SSL-Client-Verify: SUCCESS',
  ],
  body: { grant_type: 'client_credentials', client_id: 'a' },
});

/** What happens once for a client, a certificate or a key, and the functions that do it. */
const preparation: readonly [what: string, isPart: (called: FunctionCalls) => boolean][] = [
  ['schema', ({ file }) => file.startsWith('node_modules/zod/')],
  ['record', ({ file }) => file === 'src/clients/parse-client.ts' || file === 'src/clients/stored-record.ts'],
  ['lookup in Redis', ({ file }) => file === 'src/clients/registry/load-record.ts'],
  ['certificate', ({ name }) => name === 'decodeChain' || name === 'parseCertificateStructure'],
  ['address of the proxy', ({ name }) => name === 'isInBlockList'],
  ['path', ({ file }) => file === 'src/pki/path/build-paths.ts'],
  ['jose', ({ file }) => file.startsWith('node_modules/jose/')],
];

test('1,000 tokens of a client in a file repeat nothing that was prepared for the first', async () => {
  const file = join(temporaryDirectory(), 'clients.json');
  writeFileSync(file, JSON.stringify([record]));
  expect(await preparedForFirst({ COUNTERSIGN_CLIENTS_FILE: file })).toEqual([
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
  expect(await preparedForFirst(env).finally(close)).toEqual(expected);
});

function partsOf(called: readonly FunctionCalls[]): string[] {
  return preparation.filter(([, isPart]) => called.some(isPart)).map(([what]) => what);
}

/**
 * What a server prepares for its first token.
 *
 * @throws {Error} if a thousand others repeat some of it each time
 */
async function preparedForFirst(clients: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'ca.pem'), ca.pem);
  const config = readConfig({
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_TERMINATOR: 'nginx',
    COUNTERSIGN_LISTEN: '127.0.0.1:0',
    COUNTERSIGN_OPERATIONS_LISTEN: 'off',
    // The machine may be busy, and collecting the counts stops the server.
    COUNTERSIGN_MAX_QUEUE_DELAY: '60s',
    COUNTERSIGN_CLIENT_CA_FILE: join(folder, 'ca.pem'),
    COUNTERSIGN_SIGNING_KEY: await openssl(['genpkey', '-algorithm', 'ed25519']),
    ...clients,
  });
  const output = new LogOutput({ write: (bytes) => bytes.length, restoredLine, onOutage: () => {} });
  const service = await startService(
    config,
    createLog((line) => output.append(line)),
    output,
  );
  const { address } = service;
  try {
    const first = await countCalls(() => requestTokens(address, 1));
    let repeated: readonly string[] = [];
    const repeatsNothing = async (tokens: number) => {
      const others = await countCalls(() => requestTokens(address, tokens));
      const callsOf = (path: string, called: string) =>
        others.find(({ file, name }) => file === path && name === called)?.calls;
      expect(callsOf('src/tokens/signing-key.ts', 'sign')).toBe(tokens);
      // One pass over the header of each request.
      expect(callsOf('src/http/header-fields.ts', 'HeaderFields')).toBe(tokens);
      repeated = partsOf(others);
      return repeated.length === 0;
    };
    const explain = () => `repeated: ${repeated.join(', ')}`;
    // A client is looked up again when the invalidation feed of Redis has connected.
    await eventually(() => repeatsNothing(1), explain);
    await eventually(() => repeatsNothing(TOKENS), explain);
    return partsOf(first);
  } finally {
    await service.close();
  }
}

/** Each connection sends its next request when it has received the whole response to the last. */
async function requestTokens(address: ListenAddress, count: number): Promise<void> {
  let sent = 0;
  await Promise.all(
    Array.from({ length: Math.min(count, CONNECTIONS) }, async () => {
      const socket = connect(portOf(address), '127.0.0.1').setEncoding('latin1');
      const responses = on(socket, 'data');
      for (sent += 1; ; sent += 1) {
        socket.write(request);
        let response = '';
        while (!response.endsWith('}')) response += (await responses.next()).value;
        expect(response).toMatch(/^HTTP\/1\.1 200 /);
        if (sent >= count) break;
      }
      socket.destroy();
    }),
  );
}

function portOf(address: ListenAddress): number {
  if (address.kind !== 'tcp') throw new Error('the server does not listen on TCP');
  return address.port;
}

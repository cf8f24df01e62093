import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type AuthorizationServer, startAuthorizationServer } from '../support/authorization-server.ts';
import { createTestCa, type MintedCertificate } from '../support/certificates.ts';
import { type CrlServer, startCrlServer } from '../support/crl-server.ts';
import { createCrl } from '../support/crls.ts';
import { formOf } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { exact } from '../support/forged-headers.ts';
import { sendRequest } from '../support/raw-http.ts';
import { keyPrefix } from '../support/redis.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const INTERVAL_SECONDS = 2;
const MINUTE = 60_000;
const ca = createTestCa({ subject: [['CN', 'Client CA']] });
const client = ca.issue({ subject: [['CN', 'victim']] });
const other = ca.issue({ subject: [['CN', 'victim']] });
const directory = temporaryDirectory();
const clientCa = ca.writeTo(directory, 'client-ca').cert;

const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE);
const crlOf = (minutes: number, ...revoked: MintedCertificate[]) =>
  createCrl(ca, { revoked, thisUpdate: ago(minutes) });

async function startReplica(env: Readonly<Record<string, string>>): Promise<AuthorizationServer> {
  const server = await startAuthorizationServer({
    env: {
      COUNTERSIGN_CLIENT_CA_FILE: clientCa,
      COUNTERSIGN_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_CRL_INTERVAL: `${INTERVAL_SECONDS}s`,
      ...env,
    },
  });
  return server;
}

async function register({ redis }: AuthorizationServer, prefix: string): Promise<void> {
  const record = {
    client_id: 'victim',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=victim',
  };
  await redis.set(`${prefix}client:victim`, JSON.stringify(record));
}

async function ask(server: AuthorizationServer, certificate = client) {
  const lines = ['Content-Type: application/x-www-form-urlencoded', ...exact(certificate)];
  return server.decide(() => sendRequest(server.url, { lines, body: formOf('victim') }));
}

const statusOf = async (server: AuthorizationServer) => (await ask(server)).response.status;

describeWith(['redis-server'], 'two replicas with the CRL of a CA', () => {
  const prefix = keyPrefix();
  let ca: CrlServer;
  const replicas: AuthorizationServer[] = [];
  beforeAll(async () => {
    ca = await startCrlServer(crlOf(10));
    const env = { COUNTERSIGN_CLIENT_CRLS: ca.url, COUNTERSIGN_REDIS_KEY_PREFIX: prefix };
    for (const _ of [1, 2]) replicas.push(await startReplica(env));
    for (const replica of replicas.slice(0, 1)) await register(replica, prefix);
  });
  afterAll(async () => {
    for (const replica of replicas) await replica.stop();
    await ca?.stop();
  });

  test('issue tokens to a client that is not revoked, and only one of them fetches the CRL', async () => {
    for (const replica of replicas) expect(await statusOf(replica)).toBe(200);
    const exceeded: string[] = [];
    // A replica that was suspended fetches at another time than otherwise, in one interval or another.
    while (exceeded.length < 3) {
      const [before, began] = [ca.requests(), performance.now()];
      await setTimeout(2 * INTERVAL_SECONDS * 1000);
      const halfIntervals = (performance.now() - began) / (INTERVAL_SECONDS * 500);
      // One replica fetches once per half interval: four times here. It would be twice as often if both did.
      const requests = ca.requests() - before;
      if (requests <= Math.floor(halfIntervals) + 1) return;
      exceeded.push(`${requests} in ${halfIntervals.toFixed(1)} half intervals`);
    }
    expect(exceeded).toEqual([]);
  });

  test('export the age and expiry of the CRL as metrics', async () => {
    const [replica] = replicas;
    const { url } = await (replica as AuthorizationServer).countersign.waitForEvent(
      ({ event }) => event === 'operations_listening',
    );
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const labels = '{ca="CN=Client CA",public_key_thumbprint="[\\w-]{43}",scope=""}';
    const value = (name: string) => Number(new RegExp(`^countersign_${name}${labels} (.*)$`, 'm').exec(metrics)?.[1]);
    expect(value('crl_age_seconds')).toBeGreaterThan(10 * 60 - 1);
    expect(value('crl_next_update_timestamp_seconds')).toBeGreaterThan(Date.now() / 1000);
    expect(value('crl_revoked_certificates')).toBe(0);
    expect(metrics).toContain('countersign_client_ca_not_after_timestamp_seconds{role="anchor",ca="CN=Client CA"');
  });

  test('reject a revoked client within the interval, and not another one', async () => {
    ca.content = crlOf(5, client);
    await eventually(
      async () => (await Promise.all(replicas.map(statusOf))).every((status) => status === 400),
      () => 'it still gets tokens',
      INTERVAL_SECONDS * 1000 + 500,
    );
    for (const replica of replicas) {
      const { event } = await ask(replica);
      expect(event.reason).toBe(
        'the certificate\'s chain is not verified: the certificate is revoked by CA "CN=Client CA" (RFC 5280 §6.3.3)',
      );
      expect((await ask(replica, other)).response.status).toBe(200);
    }
  });

  test('keep enforcing the last CRL while the CA is unavailable or serves an older or invalid one', async () => {
    for (const content of [undefined, crlOf(20), Buffer.from('<html>')]) {
      ca.content = content;
      const requests = ca.requests();
      await eventually(
        () => ca.requests() > requests + 1,
        () => 'the CRL was not fetched',
        10_000,
      );
      for (const replica of replicas) {
        expect(await statusOf(replica)).toBe(400);
        expect((await ask(replica, other)).response.status).toBe(200);
      }
    }
    const failures = replicas.flatMap(({ countersign }) =>
      countersign.lines.filter(({ event }) => event === 'crl_unavailable'),
    );
    expect(failures.map(({ reason }) => reason)).toContainEqual(
      expect.stringContaining('the server responded with status 503'),
    );
    expect(failures.map(({ reason }) => reason)).toContainEqual(expect.stringContaining('contains no CRL'));
  });
});

describeWith(['redis-server'], 'a server started while the CA is unavailable', () => {
  const expectations = [
    ['require', 400, 'there is no CRL of CA "CN=Client CA"'],
    ['prefer', 200, undefined],
    ['off', 200, undefined],
  ] as const;
  test.each(expectations)('with COUNTERSIGN_CRL_MODE=%s responds with status %i', async (mode, status, reason) => {
    const prefix = keyPrefix();
    const server = await startReplica({
      COUNTERSIGN_CLIENT_CRLS: 'http://127.0.0.1:1/ca.crl',
      COUNTERSIGN_CRL_MODE: mode,
      COUNTERSIGN_REDIS_KEY_PREFIX: prefix,
    });
    onTestFinished(async () => void (await server.stop()));
    await register(server, prefix);
    const { response, event } = await ask(server);
    expect(response.status).toBe(status);
    if (reason) expect(event.reason).toContain(reason);
  });
});

describeWith(['redis-server'], 'a CA that does not respond', () => {
  test('does not prevent the server from starting', async () => {
    const unresponsive = createServer(() => {});
    await new Promise<void>((resolve) => unresponsive.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void unresponsive.close());
    const { port } = unresponsive.address() as AddressInfo;
    const prefix = keyPrefix();
    const url = `http://127.0.0.1:${port}/ca.crl`;
    const server = await startReplica({ COUNTERSIGN_CLIENT_CRLS: url, COUNTERSIGN_REDIS_KEY_PREFIX: prefix });
    onTestFinished(async () => void (await server.stop()));
    await register(server, prefix);
    expect(await statusOf(server)).toBe(400);
  });
});

describeWith(['redis-server'], 'a CRL in a file', () => {
  test('is reloaded when it changes, and stays in use if the new one is invalid', async () => {
    const prefix = keyPrefix();
    const file = join(directory, 'ca.crl');
    writeFileSync(file, crlOf(10));
    const server = await startReplica({ COUNTERSIGN_CLIENT_CRLS: file, COUNTERSIGN_REDIS_KEY_PREFIX: prefix });
    onTestFinished(async () => void (await server.stop()));
    await register(server, prefix);
    expect(await statusOf(server)).toBe(200);
    writeFileSync(file, crlOf(5, client));
    await eventually(
      async () => (await statusOf(server)) === 400,
      () => 'it still gets tokens',
      5_000,
    );
    writeFileSync(file, 'not a CRL');
    await server.countersign.waitForEvent(({ event }) => event === 'crls_reload_failed');
    expect(await statusOf(server)).toBe(400);
    expect((await ask(server, other)).response.status).toBe(200);
  });

  test('is loaded although another file in the directory is invalid', async () => {
    const prefix = keyPrefix();
    const folder = temporaryDirectory();
    writeFileSync(join(folder, 'b.crl'), crlOf(10));
    const server = await startReplica({ COUNTERSIGN_CLIENT_CRLS: folder, COUNTERSIGN_REDIS_KEY_PREFIX: prefix });
    onTestFinished(async () => void (await server.stop()));
    await register(server, prefix);
    writeFileSync(join(folder, 'a.crl'), 'not a CRL');
    writeFileSync(join(folder, 'b.crl'), crlOf(5, client));
    const { reason } = await server.countersign.waitForEvent(({ event }) => event === 'crls_reload_failed');
    expect(reason).toContain(join(folder, 'a.crl'));
    await eventually(
      async () => (await statusOf(server)) === 400,
      () => 'it still gets tokens',
      5_000,
    );
  });

  describe('prevents the server from starting', () => {
    test.each([
      ['if it is missing', 'missing.crl', undefined, 'no such file or directory'],
      ['if it is not a CRL', 'none.crl', 'text', 'contains no CRL'],
      [
        'if its CA is not configured',
        'other.crl',
        createCrl(createTestCa({ subject: [['CN', 'X']] })),
        'has issuer "CN=X"',
      ],
    ])('%s', async (_, name, content, message) => {
      const path = join(directory, name);
      if (content !== undefined) writeFileSync(path, content);
      await expect(startReplica({ COUNTERSIGN_CLIENT_CRLS: path })).rejects.toThrow(message);
    });
  });
});

import { Agent, type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCa, type MintedCertificate, type TestCa, toPem } from '../support/certificates.ts';
import { type RunningCountersign, startCountersign } from '../support/countersign.ts';
import { createCrl } from '../support/crls.ts';
import { eventually } from '../support/eventually.ts';
import { type Files, mountSecret, newPem, type SecretVolume } from '../support/signing-key-files.ts';

/** Every file of a server in one volume of Kubernetes, replaced under load, with an invalid version in between. */
const serverCa = createTestCa({ subject: [['CN', 'Server CA']] });
const serverNamed = (name: string) => serverCa.issue({ eku: 'server', dns: ['localhost'], subject: [['CN', name]] });
const [oldServer, newServer] = [serverNamed('old server'), serverNamed('new server')];
const [oldProxyCa, newProxyCa] = ['Old', 'New'].map((name) => createTestCa({ subject: [['CN', `${name} proxy CA`]] }));
const [oldClientCa, newClientCa] = ['Old', 'New'].map((name) => createTestCa({ subject: [['CN', `${name} CA`]] }));
if (!oldProxyCa || !newProxyCa || !oldClientCa || !newClientCa) throw new Error('there are four CAs');
const proxyOf = (ca: TestCa) => ca.issue({ dns: ['gw.internal'] });
const [oldProxy, newProxy] = [proxyOf(oldProxyCa), proxyOf(newProxyCa)];
const [client, laterClient] = [oldClientCa, newClientCa].map((ca) => ca.issue({ subject: [['CN', 'client']] }));
const [oldSecret, newSecret] = ['old-secret-'.padEnd(40, 'x'), 'new-secret-'.padEnd(40, 'y')];
const [oldKey, newKey] = [newPem(), newPem()];
const crlOf = (...cas: readonly TestCa[]) => cas.map((ca) => toPem(createCrl(ca), 'X509 CRL')).join('');
const record = (clientId: string) => ({
  client_id: clientId,
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=client',
});

const first: Files = {
  'tls.crt': oldServer.pem,
  'tls.key': oldServer.privateKeyPem,
  'proxy-ca.crt': oldProxyCa.pem,
  'proxy-secret': oldSecret,
  'signing-key.pem': oldKey,
  'client-ca.crt': oldClientCa.pem,
  'client.crl': crlOf(oldClientCa),
  'clients.json': JSON.stringify([record('client')]),
};
const invalid: Files = {
  'tls.crt': newServer.pem,
  'tls.key': oldServer.privateKeyPem,
  'proxy-ca.crt': newProxyCa.pem.slice(0, 300),
  'proxy-secret': 'too short',
  'signing-key.pem': newKey.slice(0, 80),
  'client-ca.crt': newProxy.pem,
  'client.crl': 'not a CRL',
  'clients.json': JSON.stringify([{ ...record('client'), scpoe: 'a' }]),
};
const both: Files = {
  'tls.crt': newServer.pem,
  'tls.key': newServer.privateKeyPem,
  'proxy-ca.crt': oldProxyCa.pem + newProxyCa.pem,
  'proxy-secret': `${oldSecret}\n${newSecret}\n`,
  'signing-key.pem': newKey,
  'client-ca.crt': oldClientCa.pem + newClientCa.pem,
  'client.crl': crlOf(oldClientCa, newClientCa),
  'clients.json': JSON.stringify([record('client'), record('later')]),
};
const last: Files = { ...both, 'proxy-ca.crt': newProxyCa.pem, 'proxy-secret': newSecret };

const names = [
  ...['tls_certificate', 'proxy_ca', 'proxy_secret', 'signing_key', 'client_ca', 'crls', 'clients'],
] as const;

interface Call {
  readonly proxy?: MintedCertificate;
  readonly secret?: string;
  readonly client?: MintedCertificate | undefined;
  readonly clientId?: string;
  readonly agent?: Agent;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** Of the server. */
  readonly certificate: string | undefined;
}

describe('every watched file', () => {
  let volume: SecretVolume;
  let server: RunningCountersign;
  const open = new Agent({ keepAlive: true, maxSockets: 1 });
  const openNew = new Agent({ keepAlive: true, maxSockets: 1 });
  const answers: Answer[] = [];
  let isLoading = true;

  const call = ({ proxy = oldProxy, secret = oldSecret, clientId = 'client', ...rest }: Call): Promise<Answer> => {
    const { client: identity = client, agent = false } = rest;
    const options: RequestOptions = {
      ...{ method: 'POST', agent, ca: serverCa.pem, servername: 'localhost' },
      ...{ cert: proxy.pem, key: proxy.privateKeyPem },
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-ssl-client-cert': encodeURIComponent(identity?.pem ?? ''),
        'x-ssl-client-verify': 'SUCCESS',
        'x-countersign-proxy-secret': secret,
      },
    };
    return send(`${server.url}/token`, options, `grant_type=client_credentials&client_id=${clientId}`);
  };
  const load = async (agent?: Agent) => {
    while (isLoading) answers.push(await call(agent ? { agent } : {}).catch((error) => failed(error)));
  };
  const untilLogged = async (event: (name: string) => string, wanted: readonly string[], since: number) => {
    const missing = () =>
      wanted.filter((name) => !server.lines.slice(since).some((line) => line.event === event(name)));
    await eventually(
      () => missing().length === 0,
      () =>
        `not logged: ${missing()} among ${JSON.stringify(server.lines.slice(since).filter(({ event }) => event !== 'token_issued'))}`,
    );
  };
  const reloaded = (name: string) => `${name}_reloaded`;
  const swap = async (files: Files, event: (name: string) => string, wanted: readonly string[] = names) => {
    const since = server.lines.length;
    volume.swap(files);
    await untilLogged(event, wanted, since);
  };
  const keyIds = async () => {
    const { body } = await send(`${server.url}/jwks`, { ca: serverCa.pem, servername: 'localhost', agent: false }, '');
    const { keys }: { readonly keys: readonly { readonly kid: string }[] } = JSON.parse(body);
    return keys.map(({ kid }) => kid);
  };
  const kidOf = ({ body }: Answer): string => {
    const [header = ''] = String(JSON.parse(body).access_token).split('.');
    return JSON.parse(Buffer.from(header, 'base64url').toString()).kid;
  };
  const untilReason = (pattern: RegExp) =>
    eventually(
      () => pattern.test(String(server.auditEvents().at(-1)?.reason)),
      () => String(server.auditEvents().at(-1)?.reason),
    );

  beforeAll(async () => {
    volume = mountSecret(first);
    const path = (name: string) => join(volume.folder, name);
    server = await startCountersign({
      env: {
        COUNTERSIGN_ISSUER: 'https://auth.example',
        COUNTERSIGN_TERMINATOR: 'nginx',
        COUNTERSIGN_LISTEN: '127.0.0.1:0',
        COUNTERSIGN_TLS_CERTIFICATE_FILE: path('tls.crt'),
        COUNTERSIGN_TLS_KEY_FILE: path('tls.key'),
        COUNTERSIGN_PROXY_CA_FILE: path('proxy-ca.crt'),
        COUNTERSIGN_PROXY_SANS: 'gw.internal',
        COUNTERSIGN_PROXY_SECRET_FILE: path('proxy-secret'),
        COUNTERSIGN_SIGNING_KEY_FILE: path('signing-key.pem'),
        COUNTERSIGN_CLIENT_CA_FILE: path('client-ca.crt'),
        COUNTERSIGN_CLIENT_CRLS: path('client.crl'),
        COUNTERSIGN_CLIENTS_FILE: path('clients.json'),
      },
    });
  });
  afterAll(async () => {
    for (const agent of [open, openNew]) agent.destroy();
    await server?.stop();
  });

  test('is replaced under load, with an invalid version in between, and no request fails', async () => {
    const loads = [load(open), load(), load()];
    const [oldKid = ''] = await keyIds();
    await swap(invalid, (name) => `${name}_reload_failed`);
    expect((await call({})).certificate).toBe(oldServer.thumbprint);
    const since = server.lines.length;
    await swap(both, reloaded);
    // Files that belong to each other have changed at once: none is rejected because of another.
    expect(server.lines.slice(since).filter(({ level }) => level === 'error')).toEqual([]);
    const seen = answers.length;
    await eventually(
      () => answers.length > Math.max(seen + 20, 50),
      () => 'no requests',
    );
    isLoading = false;
    await Promise.all(loads);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);

    const { certificate, ...answer } = await call({});
    expect(certificate).toBe(newServer.thumbprint);
    expect([await keyIds(), kidOf({ certificate, ...answer })]).toEqual([[oldKid, expect.any(String)], oldKid]);
    const statuses = [
      await call({ secret: newSecret }),
      await call({ proxy: newProxy, agent: openNew }),
      await call({ clientId: 'later', client: laterClient }),
      await call({ agent: open }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 200, 200]);
  });

  test('no longer trusts what it has lost, also on an open connection', async () => {
    await swap(last, reloaded, ['proxy_ca', 'proxy_secret']);
    for (const agent of [openNew, new Agent()]) {
      expect((await call({ proxy: newProxy, secret: newSecret, agent })).status).toBe(200);
    }
    expect((await call({ proxy: newProxy, secret: oldSecret })).status).toBe(400);
    await untilReason(/x-countersign-proxy-secret does not match/);
    const onOpenConnection = await call({ agent: open, secret: newSecret });
    expect([onOpenConnection.status, onOpenConnection.certificate]).toEqual([400, oldServer.thumbprint]);
    await untilReason(/verified against a CA certificate that COUNTERSIGN_PROXY_CA_FILE no longer contains$/);
    expect((await call({ secret: newSecret })).status).toBe(400);
    await untilReason(/does not verify against COUNTERSIGN_PROXY_CA_FILE/);
  });

  test('is checked on SIGHUP, and logged as reloaded only where it has changed', async () => {
    const since = server.lines.length;
    server.kill('SIGHUP');
    await server.waitForEvent(() => server.lines.slice(since).some(({ event }) => event === 'reloaded'));
    const lines = server.lines.slice(since).filter(({ event }) => /reload/.test(String(event)));
    expect(lines).toEqual([
      expect.objectContaining({ event: 'reloading', signal: 'SIGHUP' }),
      expect.objectContaining({ level: 'info', event: 'reloaded', checked: expect.any(Array), changed: [] }),
    ]);
    expect(lines.at(-1)?.checked).toEqual(expect.arrayContaining([...names]));
  });
});

function failed(error: unknown): Answer {
  return { status: 0, body: String(error), certificate: undefined };
}

function send(url: string, options: RequestOptions, body: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request(url, options, async (response) => {
    const { socket } = response;
    const peer = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    const certificate = peer && Buffer.from(peer.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
    const content = Buffer.concat(await response.toArray()).toString();
    resolve({ status: response.statusCode ?? 0, body: content, certificate });
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

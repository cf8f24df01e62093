import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { createPkcs12 } from '../../src/development/pkcs12.ts';
import { selfSigned } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { type DevelopmentServer, startDevelopmentServer } from '../support/development-server.ts';
import { eventually } from '../support/eventually.ts';
import { durationOf, expectWithin } from '../support/expect-within.ts';
import { freePort } from '../support/free-port.ts';
import { opensslThumbprint } from '../support/openssl.ts';
import { sendRequest } from '../support/raw-http.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const running: DevelopmentServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

const start = async (cwd: string, more: string[] = []) => {
  const server = await startDevelopmentServer(cwd, await freePort(), more);
  running.push(server);
  return server;
};
const paste = async (command: string | undefined, cwd: string) => {
  const { stdout } = await runProgram('sh', ['-c', `${command} -sS`], { cwd });
  return JSON.parse(stdout.toString());
};

const PASSWORD = ['--password', 'countersign'] as const;

describe('countersign dev', () => {
  test('prints a curl command for each client, and each gets a certificate-bound token', async () => {
    const cwd = temporaryDirectory();
    const server = await start(cwd);
    expect(server.stdout()).toContain('For development only');
    expect(server.stdout()).not.toContain('\u001b');
    expect(Object.keys(server.commands)).toEqual(['mtls.client', 'mtls.tb']);
    for (const [clientId, name] of [
      ['mtls.client', 'client'],
      ['mtls.tb', 'self-signed'],
    ] as const) {
      const response = await paste(server.commands[clientId], cwd);
      const thumbprint = await opensslThumbprint(readFileSync(join(cwd, `.countersign/${name}.pem`), 'utf8'));
      expect(decodeJwt(response.access_token)).toMatchObject({
        iss: `https://localhost:${server.port}`,
        client_id: clientId,
        cnf: { 'x5t#S256': thumbprint },
      });
    }
    expect(server.stdout()).toMatch(/issued +mtls\.client api1/);
    const folder = join(cwd, '.countersign');
    const both = ['client.pem', 'client-key.pem'].map((name) => readFileSync(join(folder, name), 'utf8'));
    writeFileSync(join(cwd, 'both.pem'), both.join(''));
    const certificate = ['--cert', join(cwd, 'both.pem'), '--cacert', join(folder, 'ca.pem')];
    const ask = ['token', '--url', `https://localhost:${server.port}`, ...certificate, '-o', 'json'];
    const { stdout } = await runCountersign([...ask, '--client-id', 'mtls.client']);
    expect(JSON.parse(stdout)).toMatchObject({ claims: { scope: 'api1' }, bound_to_certificate: true, notes: [] });
    const rejected = await runCountersign([...ask, '--client-id', 'mtls.tb']);
    expect([rejected.code, JSON.parse(rejected.stdout).error]).toEqual([1, 'invalid_client']);
  });

  test('presents the token of its edge to the API behind it, and denies other requests', async () => {
    const cwd = temporaryDirectory();
    const server = await start(cwd);
    const command = /^curl .*\/api\/orders$/m.exec(server.stdout())?.[0];
    const minted = await paste(command, cwd);
    expect(Object.keys(minted)).toHaveLength(6);
    const token = String(minted.authorization).replace('Bearer ', '');
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({ aud: 'https://api.example', client_id: 'mtls.client' });
    expect(minted).toMatchObject({
      'x-countersign-client-id': 'mtls.client',
      'x-countersign-expires': String(claims.exp),
    });
    const bound = await paste(`${command} -H 'Authorization: Bearer ${token}'`, cwd);
    expect(bound['x-countersign-client-id']).toBe('mtls.client');
    const headOf = async (options: string) => {
      const { stdout } = await runProgram('sh', ['-c', `${command} -sS -i ${options}`], { cwd });
      return stdout.toString();
    };
    const other = '--cert .countersign/self-signed.pem --key .countersign/self-signed-key.pem';
    const denied = await headOf(`${other} -H 'Authorization: Bearer ${token}'`);
    expect(denied).toMatch(/^HTTP\/1\.1 401 /);
    expect(denied).toContain('\r\nwww-authenticate: Bearer error="invalid_token"\r\n');
    expect(server.stdout()).toMatch(/minted +mtls\.client for api/);
  });

  test('closes the connection after a request with Upgrade, and keeps it open after others', async () => {
    const cwd = temporaryDirectory();
    const { port } = await start(cwd);
    const ca = readFileSync(join(cwd, '.countersign/ca.pem'), 'utf8');
    const send = (lines: string[]) =>
      sendRequest(`https://localhost:${port}`, { method: 'GET', path: '/jwks', lines }, { tls: { ca } });
    const upgrade = await send(['Connection: Upgrade', 'Upgrade: websocket']);
    expect([upgrade.status, upgrade.headers.get('connection')]).toEqual([200, 'close']);
    const other = await send(['Connection: keep-alive']);
    expect([other.status, other.headers.get('connection')]).toEqual([200, 'keep-alive']);
  });

  test('issues the first token within three seconds', async () => {
    await expectWithin(3_000, () =>
      durationOf(async () => {
        const cwd = temporaryDirectory();
        const server = await start(cwd);
        await paste(server.commands['mtls.client'], cwd);
      }),
    );
  });

  test('creates private keys that only the owner can read, and the documented client subject', async () => {
    const cwd = temporaryDirectory();
    await start(cwd);
    const folder = join(cwd, '.countersign');
    const keys = readdirSync(folder).filter((name) => /key\.pem$|\.p12$/.test(name));
    expect(keys.sort()).toEqual([
      'ca-key.pem',
      'client-key.pem',
      'client.p12',
      'self-signed-key.pem',
      'server-key.pem',
      'signing-key.pem',
    ]);
    for (const name of keys) expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
    expect(new X509Certificate(readFileSync(join(folder, 'client.pem'))).subject).toBe(
      'O=company\nOU=production\nCN=mtls.client',
    );
  });

  test('reuses its files, and reads an edited clients.yaml', async () => {
    const cwd = temporaryDirectory();
    const first = await start(cwd);
    expect(await first.stop()).toBe(0);
    const folder = join(cwd, '.countersign');
    const before = readFileSync(join(folder, 'client.pem'), 'utf8');
    const pkcs12 = readFileSync(join(folder, 'client.p12'));
    const clients = readFileSync(join(folder, 'clients.yaml'), 'utf8');
    writeFileSync(join(folder, 'clients.yaml'), clients.replaceAll('scope: api1', 'scope: api1 api2'));
    const second = await start(cwd);
    expect(second.stdout()).toContain('unchanged since the last start');
    expect(readFileSync(join(folder, 'client.pem'), 'utf8')).toBe(before);
    expect(readFileSync(join(folder, 'client.p12'))).toEqual(pkcs12);
    const command = second.commands['mtls.client']?.replace('scope=api1', 'scope=api2');
    expect((await paste(command, cwd)).scope).toBe('api2');
  });

  test('logs each change of clients.yaml: invalid, fixed, empty', async () => {
    const cwd = temporaryDirectory();
    const server = await start(cwd);
    const path = join(cwd, '.countersign/clients.yaml');
    const clients = readFileSync(path, 'utf8');
    for (const [content, line] of [
      [clients.replace('    audience:', '   audience:'), `the previous records stay active: ${path}:`],
      [
        clients.replace('scope: api1', 'scope: api2'),
        `reloaded ${path}: 2 clients, 1 resource, 0 added, 1 changed, 0 removed`,
      ],
      ['clients: []', `reloaded ${path}: 0 clients, 0 added, 0 changed, 3 removed`],
    ] as const) {
      writeFileSync(path, content);
      await eventually(() => server.stdout().includes(line), server.stdout);
    }
  });

  test('shows once, on its page, where clients.yaml is invalid', async () => {
    const cwd = temporaryDirectory();
    const server = await start(cwd);
    const path = join(cwd, '.countersign/clients.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('scope:', 'scpoe:'));
    const { stdout } = await runProgram('curl', ['-sk', `https://localhost:${server.port}`]);
    expect(stdout.toString()).toMatch(/<p class="warning">\.countersign\/clients\.yaml:\d+:5: client .*unknown field/);
  });

  test('recreates a deleted CA certificate and every certificate that the CA signs', async () => {
    const cwd = temporaryDirectory();
    await (await start(cwd)).stop();
    rmSync(join(cwd, '.countersign/ca.pem'));
    const second = await start(cwd);
    expect(second.stdout()).toContain(
      'created ca.pem, ca-key.pem, server.pem, server-key.pem, client.pem, client-key.pem, client.p12\n',
    );
    const { stdout } = await runCountersign(['certificate', '.countersign/client.p12', ...PASSWORD, '-o', 'json'], {
      cwd,
    });
    const { thumbprint } = JSON.parse(stdout);
    expect(thumbprint).toBe(await opensslThumbprint(readFileSync(join(cwd, '.countersign/client.pem'), 'utf8')));
    expect(await paste(second.commands['mtls.client'], cwd)).toHaveProperty('access_token');
    expect(await paste(second.commands['mtls.tb'], cwd)).toHaveProperty('access_token');
  });

  test('prints commands that work with special characters in the folder name', async () => {
    const cwd = temporaryDirectory();
    const server = await start(cwd, ['--folder', "it's mine"]);
    expect(await paste(server.commands['mtls.client'], cwd)).toHaveProperty('access_token');
  });

  test('rejects certificate headers that a client sends itself', async () => {
    const cwd = temporaryDirectory();
    const server = await start(cwd);
    const folder = join(cwd, '.countersign');
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    const victim = new X509Certificate(read('client.pem')).raw.toString('base64');
    const spoofed = [`Client-Cert: :${victim}:`, 'X-SSL-Client-Verify: SUCCESS', 'X_SSL_Client_Verify: SUCCESS'];
    const body = { grant_type: 'client_credentials', client_id: 'mtls.client' };
    const own = { cert: read('self-signed.pem'), key: read('self-signed-key.pem') };
    for (const identity of [{}, own]) {
      for (const lines of [spoofed, [...spoofed, ...spoofed], [...spoofed, 'Connection: Client-Cert']]) {
        const tls = { ca: read('ca.pem'), servername: 'localhost', ...identity };
        const response = await sendRequest(`https://127.0.0.1:${server.port}`, { body, lines }, { tls });
        expect(response.json().error).toBe('invalid_client');
      }
    }
    expect(server.stdout()).not.toContain('issued');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('exits with 0 on %s', async (signal) => {
    const server = await start(temporaryDirectory());
    server.kill(signal);
    expect(await server.exited).toBe(0);
  });
});

describe('countersign dev reports in one line why it does not start', () => {
  test('if the port is in use', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    const address = blocker.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { code, stderr } = await runCountersign(['dev', '--port', String(port)], { cwd: temporaryDirectory() });
    blocker.close();
    expect([code, stderr]).toEqual([
      1,
      `countersign: port ${port} on localhost is in use: choose another one with --port ${port + 1} (npm start -- --port ${port + 1})\n`,
    ]);
  });

  test('if the folder cannot be created', async () => {
    const options = ['--folder', '/proc/none/here', '--port', String(await freePort())];
    const { code, stderr } = await runCountersign(['dev', ...options], { cwd: temporaryDirectory() });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^countersign: cannot use the folder \/proc\/none\/here: .*\n$/),
    ]);
  });

  test.each<[string, (cwd: string) => void, string | RegExp, number]>([
    ['if the folder is a file', (cwd) => writeFileSync(join(cwd, '.countersign'), ''), 'cannot use the folder', 1],
    [
      'if a file is a folder',
      (cwd) => mkdirSync(join(cwd, '.countersign/client.p12'), { recursive: true }),
      /\/client\.p12: cannot be read: it is a folder, not a file\n/,
      1,
    ],
    [
      'if a certificate is invalid',
      (cwd) => {
        mkdirSync(join(cwd, '.countersign'));
        writeFileSync(join(cwd, '.countersign/ca.pem'), 'x');
        writeFileSync(join(cwd, '.countersign/ca-key.pem'), 'x');
      },
      /\/ca\.pem: contains no certificate, neither PEM nor DER; delete the file to recreate it/,
      1,
    ],
    [
      'if a key is encrypted',
      (cwd) => {
        const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        mkdirSync(join(cwd, '.countersign'));
        writeFileSync(join(cwd, '.countersign/ca.pem'), selfSigned().pem);
        writeFileSync(join(cwd, '.countersign/ca-key.pem'), privateKey.export(encrypted));
      },
      /\/ca-key\.pem: contains an encrypted private key: decrypt it .*; delete the file to recreate it/,
      1,
    ],
    [
      'if a key is that of another certificate',
      (cwd) => {
        mkdirSync(join(cwd, '.countersign'));
        writeFileSync(join(cwd, '.countersign/ca.pem'), selfSigned().pem);
        writeFileSync(join(cwd, '.countersign/ca-key.pem'), selfSigned().privateKeyPem);
      },
      /\/ca-key\.pem: is not the key of ca\.pem; delete the file to recreate it/,
      1,
    ],
    [
      'if client.p12 has another password',
      (cwd) => {
        const [pair, folder] = [selfSigned(), join(cwd, '.countersign')];
        mkdirSync(folder);
        pair.writeTo(folder, 'client');
        const keyPair = { certificatePem: pair.pem, privateKeyPem: pair.privateKeyPem };
        writeFileSync(join(folder, 'client.p12'), createPkcs12(keyPair, { name: 'client', password: 'other' }));
      },
      /\/client\.p12: is protected by another password than "countersign", or damaged; delete the file to recreate it/,
      1,
    ],
    [
      'if clients.yaml is not a list of clients',
      (cwd) => {
        mkdirSync(join(cwd, '.countersign'));
        writeFileSync(join(cwd, '.countersign/clients.yaml'), 'clients: 7');
      },
      /^countersign: \/\S+\/clients\.yaml:1:1: expected a list of clients/,
      2,
    ],
    [
      'if clients.yaml has an invalid client',
      (cwd) => {
        mkdirSync(join(cwd, '.countersign'));
        writeFileSync(join(cwd, '.countersign/clients.yaml'), 'clients: [{client_id: a}]');
      },
      'client "a": token_endpoint_auth_method: is missing',
      2,
    ],
  ])('%s', async (_, spoil, message, expectedCode) => {
    const cwd = temporaryDirectory();
    spoil(cwd);
    const { code, stderr } = await runCountersign(['dev', '--port', String(await freePort())], { cwd });
    expect(code).toBe(expectedCode);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

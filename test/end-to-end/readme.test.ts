import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import { type RunningProgram, startProgram } from '../support/child-process.ts';
import { countersignCommand, sharedCompileCache, testEnvironment } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { documentedBlock } from '../support/documented-blocks.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type RunningNginx, startNginx } from '../support/nginx.ts';
import { listenOnLoopback, shippedConfiguration } from '../support/nginx-configuration.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Runs the commands of the README with other ports and folders, and without `npm ci`. */
const block = (language: string, content: string, replacements: Readonly<Record<string, string>> = {}) =>
  documentedBlock('README.md', language, content, replacements);

const countersign = countersignCommand([]).join(' ');
const shell = async (script: string, cwd: string, env: Record<string, string> = {}) => {
  const { code, stdout, stderr } = await runProgram('sh', ['-ec', script], {
    cwd,
    env: { ...sharedCompileCache(), ...env },
  });
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  return stdout.toString();
};

describe('README: Try it', () => {
  test('its commands print the documented responses', async () => {
    const port = await freePort();
    const folder = join(temporaryDirectory(), '.countersign');
    const start = block('sh', 'npm ci && npm start', {
      'npm ci && npm start': `npm start -- --port ${port} --folder ${folder}`,
    });
    const npm = spawn('sh', ['-c', start], {
      cwd: repositoryRoot,
      detached: true,
      env: { ...process.env, ...sharedCompileCache() },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(npm, 'close');
    let output = '';
    npm.stdout.on('data', (text) => {
      output += text;
    });
    try {
      await eventually(
        () => output.includes('Ctrl-C'),
        () => output,
      );
      const curl = block('sh', 'client_id=mtls.client', { 8443: String(port), '.countersign': folder });
      const response = JSON.parse(await shell(curl, repositoryRoot));
      const documented = JSON.parse(block('json', 'access_token'));
      expect(Object.entries({ ...response, access_token: '' })).toEqual(
        Object.entries({ ...documented, access_token: '' }),
      );
      const payload = decodeJwt(response.access_token);
      const documentedPayload = JSON.parse(block('json', '"cnf"'));
      expect(Object.keys(payload)).toEqual(Object.keys(documentedPayload));
      const { iat, nbf, exp, jti, cnf, iss, ...constant } = documentedPayload;
      expect(payload).toMatchObject(constant);
      expect(Number(payload.exp) - Number(payload.iat)).toBe(exp - iat);
      const edgeCurl = block('sh', '/api/orders', { 8443: String(port), '.countersign': folder });
      const received = JSON.parse(await shell(edgeCurl, repositoryRoot));
      const documentedHeaders = JSON.parse(block('json', 'x-countersign-client-id'));
      expect(Object.keys(received)).toEqual(Object.keys(documentedHeaders));
      const { authorization, 'x-countersign-expires': expires, ...headers } = documentedHeaders;
      expect(received).toMatchObject(headers);
    } finally {
      process.kill(-Number(npm.pid), 'SIGINT'); // Ctrl-C reaches npm and its child processes
      await exited;
    }
  });

  test('the test command is the one that CI runs', () => {
    expect(block('sh', 'npm test')).toBe('npm ci && npm test\n');
    expect(readFileSync(join(repositoryRoot, '.ci/run'), 'utf8')).toMatch(/^npm test$/m);
  });
});

describeWith(['nginx', 'redis-server'], 'README: Production, and the client', () => {
  const cwd = temporaryDirectory();
  const prefix = keyPrefix();
  const socket = join(cwd, 'countersign.sock');
  const environment = {
    ...testEnvironment(),
    COUNTERSIGN_REDIS_URL: redisUrl(),
    COUNTERSIGN_REDIS_KEY_PREFIX: prefix,
  };
  const serverCa = createTestCa();
  const ca = createTestCa();
  const client = ca.issue({
    subject: [
      ['O', 'company'],
      ['OU', 'production'],
      ['CN', 'billing'],
    ],
  });
  let server: RunningProgram;
  let nginx: RunningNginx;
  let port: number;

  beforeAll(async () => {
    client.writeTo(cwd, 'client');
    ca.writeTo(cwd, 'client-ca');
    serverCa.writeTo(cwd, 'server-ca');
    for (const host of ['auth.example', 'mtls.auth.example']) {
      serverCa.issue({ eku: 'server', dns: [host] }).writeTo(cwd, host);
    }
    writeFileSync(join(cwd, 'clients.yaml'), block('yaml', '# clients.yaml'));
    await shell(block('sh', 'openssl genpkey'), cwd);
    const apply = block('sh', 'clients apply', { 'npx countersign': countersign });
    for (const command of apply.trim().split('\n')) {
      expect((await runProgram('sh', ['-c', command], { cwd, env: environment })).code).toBe(0);
    }
    expect((await runProgram('sh', ['-c', apply], { cwd, env: environment })).code).toBe(0);
    const serve = block('sh', 'countersign serve', {
      'unix:/run/countersign/countersign.sock': `unix:${socket}`,
      'redis://127.0.0.1:6379': redisUrl(),
      'npx countersign': `exec ${countersign}`,
    });
    server = startProgram('sh', ['-ec', serve], { cwd, env: environment });
    await eventually(() => server.stdout().includes('"listening"'), server.stderr);
    port = await freePort();
    nginx = await startNginx({
      http: `include ${join(cwd, 'countersign.conf')};`,
      prefix: cwd,
      files: shippedConfiguration({
        replace: [
          ...listenOnLoopback(port),
          ['/etc/nginx/countersign/', `${cwd}/`],
          ['unix:/run/countersign/countersign.sock', `unix:${socket}`],
        ],
      }),
    });
  });
  afterAll(async () => {
    await nginx?.stop();
    await server?.stop();
  });

  test('the documented client record is valid', async () => {
    const check = await shell(block('sh', 'clients check', { 'npx countersign': countersign }), cwd);
    expect(check).toMatch(/^subject {2,}CN=billing,OU=production,O=company$/m);
    expect(check).toContain('1 valid client, 0 warnings, 0 errors');
  });

  test('the server logs its effective configuration', () => {
    expect(server.stdout()).toContain(
      'client certificate: nginx in x-ssl-client-cert, chain verified by countersign against 1 trust anchor in client-ca.pem with x-ssl-client-verify=SUCCESS',
    );
  });

  test('the curl command gets a certificate-bound token', async () => {
    const reach = `https://mtls.auth.example:${port}/token --connect-to ::127.0.0.1:${port}`;
    const curl = block('sh', 'client_id=billing', { 'https://mtls.auth.example/token': reach });
    expect(decodeJwt(JSON.parse(await shell(curl, cwd)).access_token)).toMatchObject({
      iss: 'https://auth.example',
      client_id: 'billing',
      aud: 'https://invoices.example',
      scope: 'invoices.read invoices.write',
      cnf: { 'x5t#S256': client.thumbprint },
    });
  });

  test('the Node program gets a token', async () => {
    const lookup = `lookup: (name, options, found) => found(null, [{ address: '127.0.0.1', family: 4 }])`;
    const program = block('js', 'node:https', {
      'https://mtls.auth.example/token': `https://mtls.auth.example:${port}/token`,
      "{ method: 'POST'": `{ ${lookup}, method: 'POST'`,
    });
    writeFileSync(join(cwd, 'client.mjs'), program);
    const { stdout, stderr } = await runProgram(process.execPath, ['client.mjs'], { cwd });
    expect(stderr).toBe('');
    expect(decodeJwt(stdout.toString().trim()).client_id).toBe('billing');

    writeFileSync(join(cwd, 'client.mjs'), program.replace("client_id: 'billing'", "client_id: 'unknown'"));
    const rejected = await runProgram(process.execPath, ['client.mjs'], { cwd });
    expect([rejected.stdout.toString(), rejected.stderr]).toEqual(['', 'rejected: invalid_client (400)\n']);
  });
});

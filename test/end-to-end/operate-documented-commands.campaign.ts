import { copyFileSync, cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import { createCrl } from '../support/crls.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { blocksOf, documentedBlock } from '../support/documented-blocks.ts';
import { freePort } from '../support/free-port.ts';
import { startNginx } from '../support/nginx.ts';
import { listenOnLoopback, shippedConfiguration } from '../support/nginx-configuration.ts';
import { openssl } from '../support/openssl.ts';
import { type OperatorShell, operatorShell } from '../support/operator-shell.ts';
import { programPath } from '../support/program-path.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The header fields of the edge's example that are not its own. */
const isOfHttp: ReadonlySet<string> = new Set(['Date', 'Connection', 'Keep-Alive', 'Cache-Control']);

/** Clients in C#, as the templates of IdentityServer have them. */
const configuration = `public static class Config
{
    public static IEnumerable<ApiScope> ApiScopes => [new ApiScope("invoices.read")];
    public static IEnumerable<ApiResource> ApiResources => [];
    public static IEnumerable<Client> Clients => [new Client { ClientId = "billing" }];
}
`;
const unindented = (text: string) => text.replaceAll(/^\s+/gm, '');

/** Runs what the pages of docs/ tell an operator to run, beside a server behind nginx, with Redis. */

const records = `clients:
  - client_id: billing
    token_endpoint_auth_method: tls_client_auth
    tls_client_auth_subject_dn: CN=billing,OU=production,O=company
    scope: invoices.read orders:read
    audience: https://invoices.example
  - client_id: invoices-api
    token_endpoint_auth_method: tls_client_auth
    tls_client_auth_subject_dn: CN=invoices-api
    grant_types: []
`;

describeWith(['nginx', 'redis-server', 'curl', 'jq', 'logrotate', 'openssl'], 'the documented commands', () => {
  const folder = temporaryDirectory();
  const file = (name: string, content: string) => writeFileSync(join(folder, name), content);
  const contentOf = (name: string) => readFileSync(join(folder, name), 'utf8');
  let redis: RunningRedis;
  let deployment: Deployment;
  /** The environment of the server. */
  let settings: Readonly<Record<string, string>>;
  let shell: OperatorShell;
  /** Lets `countersign token` and `doctor` reach the names that the documentation uses. */
  let reach: string;

  beforeAll(async () => {
    redis = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
    const env = {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_MTLS_URL: 'https://mtls.auth.example',
      COUNTERSIGN_EDGE_LISTEN: `unix:${join(folder, 'edge.sock')}`,
      COUNTERSIGN_AUDIT_FILE: join(folder, 'audit.log'),
      COUNTERSIGN_AUDIT_STDOUT: 'on',
    };
    const prefix = { COUNTERSIGN_REDIS_KEY_PREFIX: 'countersign:' };
    deployment = await startDeployment({ env: { ...env, ...prefix }, redisUrl: redis.url });
    const shared = {
      COUNTERSIGN_REDIS_URL: redis.url,
      COUNTERSIGN_CLIENT_CA_FILE: join(folder, 'client-ca.pem'),
    };
    settings = {
      ...env,
      ...shared,
      COUNTERSIGN_TERMINATOR: 'nginx',
      COUNTERSIGN_LISTEN: deployment.url,
      COUNTERSIGN_SIGNING_KEY_FILE: deployment.signingKeyFile,
    };
    reach = `--connect-to 127.0.0.1:${deployment.port}`;
    file('.curlrc', `silent\nshow-error\nconnect-to = "mtls.auth.example:443:127.0.0.1:${deployment.port}"\n`);
    await writeCertificates();
    for (const name of ['clients', 'scpoe']) mkdirSync(join(folder, name));
    file('clients/invoices.yaml', records + documentedBlock('docs/tokens.md', 'yaml', 'introspection: [invoices-api]'));
    copyFileSync(join(folder, 'clients/invoices.yaml'), join(folder, 'clients.yaml'));
    shell = operatorShell(folder, { ...shared, CURL_HOME: folder });
  });
  afterAll(async () => {
    await deployment?.stop();
    await redis?.stop();
  });

  async function writeCertificates(): Promise<void> {
    const subject: [string, string][] = [
      ['O', 'company'],
      ['OU', 'production'],
      ['CN', 'billing'],
    ];
    const { cert, key } = deployment.ca.issue({ subject }).writeTo(folder, 'client');
    deployment.ca.issue({ subject: [['CN', 'invoices-api']] }).writeTo(folder, 'api');
    deployment.ca.writeTo(folder, 'client-ca');
    createTestCa({ subject: [['CN', 'New CA']] }).writeTo(folder, 'new-ca');
    for (const name of ['server-ca.pem', 'ca.pem']) file(name, deployment.serverCa);
    file('password.txt', 'secret\n');
    const input = ['-export', '-in', cert, '-inkey', key];
    await openssl([
      'pkcs12',
      ...input,
      '-passout',
      'file:'.concat(join(folder, 'password.txt')),
      '-out',
      join(folder, 'client.p12'),
    ]);
  }

  const operations = async () =>
    String((await deployment.countersign.waitForEvent(({ event }) => event === 'operations_listening')).url);
  const requestToken = async () => {
    const curl = documentedBlock('README.md', 'sh', 'client_id=billing');
    return String(JSON.parse(await shell.succeed(curl)).access_token);
  };

  test('docs/operate.md: the configuration is checked beside the server', async () => {
    // The other block with this command runs it by systemd.
    const [check] = blocksOf('docs/operate.md').filter(({ text }) => text.startsWith('countersign serve --check'));
    const output = await shell.succeed(String(check?.text), settings);
    expect(output).toContain(deployment.url);
  });

  test('docs/manage-clients.md: records are planned, applied and pruned', async () => {
    const stale = {
      client_id: 'stale',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: 'a.example',
    };
    file('stale.json', JSON.stringify([stale]));
    await shell.succeed('countersign clients apply stale.json');
    const output = await shell.succeed(documentedBlock('docs/manage-clients.md', 'sh', 'clients apply clients/'));
    expect(output).toMatch(/^\+ billing/m);
    expect(output).toMatch(/^- stale/m);
  });

  test('docs/tokens.md: a token is requested, introspected and revoked', async () => {
    const token = documentedBlock('docs/tokens.md', 'sh', 'countersign token ', {
      'countersign token': `countersign token ${reach}`,
      'client.p12': 'client.p12 --cacert server-ca.pem',
    });
    expect((await shell.succeed(token)).match(/^ *cnf/gm)).toHaveLength(2);

    const TOKEN = await requestToken();
    const introspect = documentedBlock('docs/tokens.md', 'sh', '/introspect');
    const documented = JSON.parse(documentedBlock('docs/tokens.md', 'json', '"active": true'));
    const introspected = JSON.parse(await shell.succeed(introspect, { TOKEN }));
    expect(Object.keys(introspected).sort()).toEqual(Object.keys(documented).sort());
    expect(introspected.active).toBe(true);
    expect(await shell.succeed(documentedBlock('docs/tokens.md', 'sh', '/revoke'), { TOKEN })).toBe('');
    expect(JSON.parse(await shell.succeed(introspect, { TOKEN }))).toEqual({ active: false });
  });

  test('docs/tokens.md: an operator revokes tokens, and lists what is revoked', async () => {
    const output = await shell.succeed(documentedBlock('docs/tokens.md', 'sh', 'tokens revoke --client'));
    for (const subject of ['billing', 'https://invoices.example', 'd0d11cb8-741a-48f5-a9a1-e5c127d16410'])
      expect(output.split('\n').filter((line) => line.includes(subject)).length).toBeGreaterThan(1);
  });

  test('docs/troubleshooting.md, docs/rejections.md: the reason of a rejection is found in the audit log', async () => {
    const token = documentedBlock('docs/troubleshooting.md', 'sh', 'countersign token', {
      'countersign token': `countersign token ${reach} --cacert server-ca.pem --password-file password.txt`,
    });
    await shell.succeed('countersign clients disable billing');
    const rejected = await shell.run(token);
    await shell.succeed('countersign clients enable billing');
    expect([rejected.code, rejected.stdout + rejected.stderr]).toEqual([1, expect.stringContaining('invalid_client')]);
    const found = await shell.succeed(documentedBlock('docs/troubleshooting.md', 'sh', 'jq'));
    expect(found).toContain('"code":"client_disabled"');
    const listed = await shell.succeed(documentedBlock('docs/rejections.md', 'sh', 'jq'));
    expect(listed).toContain('"code":"client_disabled"');
  });

  test('docs/alerts.md: the state of a replica, its log and its decisions are searched', async () => {
    const block = (content: string, replacements: Readonly<Record<string, string>> = {}) =>
      shell.succeed(documentedBlock('docs/alerts.md', 'sh', content, replacements));
    const state = await block('/readyz', { 'http://127.0.0.1:9090': await operations() });
    expect(state).toMatch(/^ok\n/);
    for (const metric of ['ready', 'redis_up', 'requests_in_flight', 'client_invalidation_mode', 'watched_file_in_use'])
      expect(state).toMatch(new RegExp(`^countersign_${metric}[ {]`, 'm'));
    const log = [
      { level: 'error', event: 'a' },
      { level: 'info', event: 'b' },
      { level: 'warn', code: 'c' },
    ];
    file('server.log', log.map((line) => JSON.stringify(line)).join('\n'));
    expect((await block('cat server.log')).match(/"event":"\w+"/g)).toEqual(['"event":"a"']);
    expect(await block('cat audit.log')).toMatch(/^ *1 client_disabled billing$/m);
    expect(await block('"path_expired"')).toBe('');
    expect(await block('.serial_number')).toMatch(/^billing\t[0-9A-F]+\tCN=Client CA$/m);
    expect(await block('"token_issued") | .client_id')).toMatch(/^ *\d+ billing$/m);
  });

  test('docs/doctor.md: the doctor finds the deployment secure', async () => {
    const doctor = documentedBlock('docs/doctor.md', 'sh', 'doctor --url https://auth.example', {
      'countersign doctor': `countersign doctor ${reach} --cacert server-ca.pem --operations ${await operations()}`,
    });
    expect(await shell.succeed(doctor)).toContain('Secure: ');
  });

  test('docs/chains.md: the key of a new CA is printed, and CRLs are configured', async () => {
    expect(await shell.succeed(documentedBlock('docs/chains.md', 'sh', 'certificate new-ca.pem'))).toContain('New CA');
    expect(await shell.succeed(documentedBlock('docs/chains.md', 'sh', 'clients apply -f'))).toContain('unchanged');
    mkdirSync(join(folder, 'crls'));
    writeFileSync(join(folder, 'crls/ca.crl'), createCrl(deployment.ca));
    const report = await shell.succeed('countersign certificate client-ca.pem -o json');
    const pin = JSON.parse(report).public_key_thumbprint;
    const crls = documentedBlock('docs/chains.md', 'sh', 'COUNTERSIGN_CRL_MODE', {
      '/etc/countersign/crls': join(folder, 'crls'),
      '50xMK1M0KI1O-jx0dBktNUdZuL9i1JCknGdW8bwemdQ': pin,
    });
    expect(await shell.succeed(`${crls}\ncountersign serve --check`, settings)).toContain('CRL');
  });

  test('docs/clients.md: a self-signed certificate is one that a client may use', async () => {
    await shell.succeed(documentedBlock('docs/clients.md', 'sh', 'openssl req -x509'));
    const { stdout } = await shell.run('countersign certificate sensor-7.pem');
    expect(stdout).toContain('self_signed_tls_client_auth');
  });

  test('docs/clients.md: a problem in a file has a place and a suggestion', async () => {
    const comments = '#\n'.repeat(7);
    file(
      'scpoe/clients.yaml',
      `${comments}clients:\n  - client_id: billing\n    enabled: true\n    audience: https://a.example\n    scpoe: read\n`,
    );
    const { code, stdout } = await shell.run('cd scpoe && countersign clients check clients.yaml');
    expect([code, stdout]).toEqual([
      1,
      expect.stringContaining(documentedBlock('docs/clients.md', '', 'clients.yaml:12:5')),
    ]);
    file('schema.json', documentedBlock('docs/clients.md', 'json', '"clients": []'));
    expect(await shell.succeed('countersign clients check schema.json')).toContain('0 errors');
  });

  test('docs/configuration.md: a second proxy secret is added', async () => {
    file('proxy-secret', 'a'.repeat(64));
    await shell.succeed(documentedBlock('docs/configuration.md', 'sh', 'proxy-secret'));
    expect(contentOf('proxy-secret')).toMatch(/^a{64}\n[0-9a-f]{64}\n$/);
    expect(statSync(join(folder, 'proxy-secret')).mode & 0o777).toBe(0o600);
  });

  test('docs/move-from-identityserver.md, docs/move-from-keycloak.md: clients are imported and checked', async () => {
    const fixtures = join(repositoryRoot, 'test/administration/import/files');
    file('Config.cs', configuration);
    const lines = await shell.run(
      documentedBlock('docs/move-from-identityserver.md', 'sh', 'import identityserver Config.cs'),
    );
    const documented = documentedBlock('docs/move-from-identityserver.md', 'csharp', 'JsonSerializer.Serialize');
    expect(unindented(lines.stdout + lines.stderr)).toContain(unindented(documented));
    const imports = [
      ['docs/move-from-identityserver.md', 'clients.json', 'appsettings.json.txt'],
      ['docs/move-from-keycloak.md', 'realm.json', 'realm.json'],
    ] as const;
    for (const [page, name, fixture] of imports) {
      copyFileSync(join(fixtures, fixture), join(folder, name));
      const script = documentedBlock(page, 'sh', 'countersign clients check', { 'clients.yaml': `${name}.yaml` });
      const [importing = '', checking = ''] = script.split('\n');
      // Something in the fixtures is skipped, which is reported.
      expect((await shell.run(importing)).code).toBe(3);
      const environment = { COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS: 'true' };
      expect(await shell.succeed(checking, environment)).toContain('0 errors');
      const token = documentedBlock(page, 'sh', 'countersign token', {
        'countersign token': `countersign token ${reach} --cacert server-ca.pem`,
        'tokens.example': 'auth.example',
      });
      expect(await shell.succeed(token)).toContain('cnf');
    }
  });

  test('docs/move-from-identityserver.md: the clients are stored, found by their certificates and watched', async () => {
    const block = (content: string) => documentedBlock('docs/move-from-identityserver.md', 'sh', content);
    expect(await shell.succeed(block('clients apply'))).toMatch(/^billing +enabled /m);
    mkdirSync(join(folder, 'certificates'));
    for (const name of ['client', 'new-ca'])
      copyFileSync(join(folder, `${name}.pem`), join(folder, `certificates/${name}.pem`));
    const { stdout } = await shell.run(block('clients show --certificate'));
    expect(stdout).toBe('certificates/client.pem: billing\ncertificates/new-ca.pem: \n');
    expect(await shell.succeed(block('.client_id == "billing"'))).toContain('"event":"token_issued"');
    expect(await shell.succeed(block('sort | uniq -c'))).toMatch(/^ *\d+ billing$/m);
  });

  test('docs/edge.md: the edge is set up, and asked as the proxy asks it', async () => {
    file('edge.yaml', documentedBlock('docs/edge.md', 'yaml', 'grant_types: []            # only at the edge'));
    await shell.succeed('countersign clients apply edge.yaml');
    const { COUNTERSIGN_EDGE_LISTEN: socket = '', ...others } = settings;
    const exports = documentedBlock('docs/edge.md', 'sh', 'EDGE_TERMINATOR', {
      'unix:/run/countersign/edge.sock': socket,
    });
    expect(await shell.succeed(`${exports}\ncountersign serve --check`, others)).toContain('edge');
    const check = documentedBlock('docs/edge.md', 'sh', '--unix-socket', {
      '/run/countersign/edge.sock': socket.slice('unix:'.length),
    });
    const namesIn = (response: string) => response.match(/^[\w-]+(?=:)/gm)?.filter((name) => !isOfHttp.has(name));
    const documented = documentedBlock('docs/edge.md', 'text', 'X-Countersign-Client-Id: billing');
    expect(namesIn(await shell.succeed(check))).toEqual(namesIn(documented));
  });

  test('docs/operate.md: nginx sends a request to another replica if one cannot be reached', async () => {
    const port = await freePort();
    const upstream = documentedBlock('docs/operate.md', 'nginx', 'upstream countersign', {
      '/run/countersign/1/countersign.sock': join(folder, 'stopped.sock'),
      '/run/countersign/2/countersign.sock': deployment.url.slice('unix:'.length),
    });
    const retry = documentedBlock('docs/operate.md', 'nginx', 'proxy_next_upstream');
    const prefix = join(folder, 'nginx');
    cpSync(deployment.directory, prefix, { recursive: true, filter: (path) => !path.includes('.sock') });
    const files = shippedConfiguration({
      replace: [
        [
          'upstream countersign {\n    server unix:/run/countersign/countersign.sock;\n    keepalive 32;\n}\n',
          upstream,
        ],
        ['    location / {\n        include', `    location / {\n${retry}        include`],
        ...listenOnLoopback(port),
        ['/etc/nginx/countersign/', `${prefix}/`],
        ['/var/log/nginx/', `${prefix}/`],
      ],
    });
    const nginx = await startNginx({ http: `include ${join(prefix, 'countersign.conf')};`, prefix, files });
    try {
      const url = `https://mtls.auth.example:${port}/token`;
      const curl = documentedBlock('README.md', 'sh', 'client_id=billing', {
        'https://mtls.auth.example/token': `${url} --connect-to ::127.0.0.1:${port}`,
        'client_id=billing': 'client_id=unknown',
      });
      for (let request = 0; request < 6; request += 1) expect(await shell.succeed(curl)).toContain('invalid_client');
    } finally {
      await nginx.stop();
    }
  });

  test('docs/operate.md: replicas are restarted one after the other, once the one before is ready', async () => {
    const log = join(folder, 'systemctl.log');
    shell.install('systemctl', `echo "$*" >> ${log}`);
    await shell.succeed(documentedBlock('docs/operate.md', 'sh', 'enable --now'));
    const restart = documentedBlock('docs/operate.md', 'sh', 'systemctl restart', {
      'http://127.0.0.1:909$replica': await operations(),
    });
    await shell.succeed(restart);
    await shell.succeed(documentedBlock('docs/operate.md', 'sh', 'systemctl reload'));
    expect(contentOf('systemctl.log').split('\n')).toEqual([
      'enable --now countersign@1 countersign@2',
      'restart countersign@1',
      'restart countersign@2',
      'reload countersign',
      '',
    ]);
  });

  test('docs/releasing.md: the packages of the build are listed', async () => {
    const list = documentedBlock('docs/releasing.md', 'sh', '.components[].purl', {
      'npm run build\n': '',
      'dist/': `${dirname(inject('countersign'))}/`,
    });
    expect(await shell.succeed(list)).toMatch(/^pkg:npm\/hono@/m);
  });

  test('docs/operate.md: logrotate moves the audit file and reloads the server, which creates a new one', async () => {
    const audit = join(folder, 'audit.log');
    const inode = statSync(audit).ino;
    shell.install('systemctl', `kill -HUP ${deployment.countersign.pid}`);
    const configuration = documentedBlock('docs/operate.md', '', 'postrotate', {
      '/var/log/countersign/*.log /var/log/countersign/*/*.log': audit,
    });
    file('logrotate.conf', configuration);
    await shell.succeed(`${programPath('logrotate')} --force --state state logrotate.conf`);
    await deployment.countersign.waitForEvent(({ event }) => event === 'reloaded');
    await requestToken();
    expect(statSync(`${audit}.1`).ino).toBe(inode);
    expect(contentOf('audit.log')).toContain('"client_id":"billing"');
  });
});

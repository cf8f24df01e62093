import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ForgeryReport } from '../../src/doctor/probe/probe-report.ts';
import { type FinishedCommand, runCountersign } from '../support/countersign.ts';
import { mtlsHost, plainHost } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { startDevelopmentServer } from '../support/development-server.ts';
import { type ProbedDeployment, runDoctor, runProbe, startProbedDeployment } from '../support/doctor.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const outcomesOf = (forgeries: readonly ForgeryReport[], name: string) =>
  new Set(forgeries.filter(({ forgery }) => forgery === name).map(({ outcome }) => outcome));

function expectError({ code, stdout, stderr }: FinishedCommand, ...words: string[]) {
  expect([code, stdout]).toEqual([1, '']);
  for (const word of words) expect(stderr).toContain(word);
  expect(stderr).not.toMatch(/\n./);
}

describeWith(['nginx', 'redis-server'], 'countersign doctor with nginx as shipped', () => {
  let deployment: ProbedDeployment;
  let probed: Awaited<ReturnType<typeof runProbe>>;
  beforeAll(async () => {
    deployment = await startProbedDeployment();
    probed = await runProbe(deployment);
  });
  afterAll(() => deployment?.stop());

  test('concludes secure and prints what arrived', async () => {
    const { code, stdout, stderr } = await runDoctor(deployment);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`This machine → ${deployment.mtlsUrl}/token`);
    expect(stdout).toMatch(/certificate +requested; presented: CN=billing/);
    expect(stdout).toMatch(/X-SSL-Client-Cert +\d+ bytes +your certificate, as nginx/);
    expect(stdout).toMatch(/with the certificate +your certificate, CN=billing; its chain is verified/);
    expect(stdout).toMatch(/without one +no certificate: the terminator forwarded no certificate/);
    expect(stdout).toMatch(/in upper case +removed +removed +– +–/);
    expect(stdout).toMatch(/with underscores +removed +removed +removed +removed/);
    expect(stdout).toMatch(/folded into another field +400 +400 +– +–/);
    expect(stdout).toMatch(/Secure: your certificate was accepted, and none of \d{3} forgeries were accepted\.\n$/);
    expect(stdout).not.toContain('\u001b');
    const grid = stdout.slice(stdout.indexOf('\nForgeries\n'), stdout.indexOf('\nLegend\n'));
    expect(grid).toContain('in the request');
    expect(grid.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test('prints JSON without secrets', () => {
    const { code, stdout, report } = probed;
    const { thumbprint } = deployment.client;
    expect(code).toBe(0);
    expect(report).toMatchObject({
      conclusion: 'secure',
      url: deployment.issuer,
      server: { terminator: 'nginx', mtls_url: deployment.mtlsUrl, certificate_header: 'x-ssl-client-cert' },
      own_certificate: { subject: 'CN=billing', thumbprint, generated: false },
      handshakes: [
        { route: 'mutual_tls', server_name: mtlsHost, http2: true, client_certificate_requested: true, failure: null },
        { route: 'issuer', server_name: plainHost, http2: true, client_certificate_requested: false, failure: null },
      ],
      problems: [],
    });
    expect(report.baseline[0]).toMatchObject({
      route: 'mutual_tls',
      certificate: 'own',
      response: 'HTTP 400 invalid_client',
      observation: {
        peer: 'unix',
        proxy_trust: { trusted: true },
        outcome: { kind: 'accepted', thumbprint, chain: { verified: true } },
      },
    });
    expect(stdout).not.toMatch(/PRIVATE KEY|BEGIN%20CERT[^"]{200}/);
  });

  test('sends every variant over both protocols, with and without a certificate, to both names', () => {
    const { forgeries } = probed.report;
    const exact = forgeries.filter(({ forgery, family }) => forgery === 'exact' && family === 'variant');
    const direct = exact.filter(({ route }) => route === 'mutual_tls' || route === 'issuer');
    expect(direct).toHaveLength(8);
    expect(new Set(direct.map(({ outcome }) => outcome))).toEqual(new Set(['removed']));
    expect(exact.map(({ route }) => route)).toEqual(expect.arrayContaining(['issuer_handshake', 'reused_from_issuer']));
    expect(outcomesOf(forgeries, 'trailer')).toEqual(new Set(['removed', 'rejected_by_proxy']));
    expect(outcomesOf(forgeries, 'folded')).toEqual(new Set(['rejected_by_proxy']));
    const ofOtherFormats = forgeries.filter(({ family }) => family === 'other_format');
    expect(new Set(ofOtherFormats.map(({ outcome }) => outcome))).toEqual(new Set(['removed']));
    expect(probed.report.notes).toEqual([]);
    expect(new Set(forgeries.map(({ outcome }) => outcome))).not.toContain('not_observed');
  });

  test('obtains no token and its requests are audited', () => {
    const { forgeries } = probed.report;
    const events = deployment.countersign.auditEvents();
    expect(events.length).toBeGreaterThan(forgeries.length / 2);
    expect(new Set(events.map(({ event, client_id }) => `${event} ${client_id}`))).toEqual(
      new Set([
        'token_rejected countersign-doctor',
        'introspection_rejected countersign-doctor',
        'revocation_rejected countersign-doctor',
      ]),
    );
  });

  test('prints help without the default of list options', async () => {
    const { stdout } = await runCountersign(['doctor', '--help']);
    expect(stdout).toContain('--operations');
    expect(stdout).not.toContain('[]');
  });

  describe('reports in one line', () => {
    test('that the operations listener is unreachable', async () => {
      const operations = `http://127.0.0.1:${await freePort()}`;
      expectError(await runDoctor(deployment, { operations }), operations, 'ECONNREFUSED', 'kubectl port-forward');
    });

    test('that the operations listener is another program', async () => {
      const operations = `http://127.0.0.1:${deployment.port}`;
      expectError(await runDoctor(deployment, { operations }), operations, 'is not the operations listener');
    });

    test('that the URL does not reach the server', async () => {
      const url = `${deployment.issuer}/elsewhere`;
      expectError(await runDoctor(deployment, { url }), url, 'no request to', 'HTTP 404', '--url');
    });

    test('that the proxy is unreachable', async () => {
      const address = `127.0.0.1:${await freePort()}`;
      expectError(await runDoctor(deployment, { 'connect-to': address }), address, 'cannot reach', '--connect-to');
    });

    test('that the CA of the proxy is unknown', async () => {
      expectError(await runDoctor(deployment, { cacert: undefined }), mtlsHost, 'not trusted', '--cacert');
    });

    test('that --cacert is another CA, without advice about Node options', async () => {
      const cacert = deployment.client.writeTo(deployment.directory, 'another').cert;
      const finished = await runDoctor(deployment, { cacert });
      expectError(finished, 'is not trusted: not issued by a CA of', cacert);
      expect(finished.stderr).not.toContain('--use-system-ca');
    });

    test('as JSON that the operations listener is unreachable', async () => {
      const operations = `http://127.0.0.1:${await freePort()}`;
      const { code, stdout, stderr } = await runDoctor(deployment, { operations, output: 'json' });
      expect([code, stderr, JSON.parse(stdout)]).toEqual([
        1,
        '',
        {
          conclusion: 'error',
          problems: [expect.stringMatching(/^cannot reach .*off \(COUNTERSIGN_OPERATIONS_LISTEN\)/)],
        },
      ]);
    });
  });
});

test.each([
  ['by itself', {}, 'countersign '],
  ['by npm', { npm_command: 'run' }, 'npx countersign '],
])(
  'the development server that is started %s prints a doctor command that concludes secure',
  async (_how, env, start) => {
    const cwd = temporaryDirectory();
    const server = await startDevelopmentServer(cwd, await freePort(), [], env);
    onTestFinished(async () => void (await server.stop()));
    const [, beginning, args = ''] = /^(.*countersign )(doctor .*)$/m.exec(server.stdout()) ?? [];
    expect(beginning).toBe(start);
    const { code, stdout } = await runCountersign(args.split(' '), { cwd });
    expect([code, stdout]).toEqual([0, expect.stringContaining('Secure: your certificate was accepted, and none of')]);
    expect(stdout).not.toContain('ignored');
  },
);

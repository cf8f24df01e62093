import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ForgeryReport } from '../../src/doctor/probe/examination.ts';
import { type FinishedCommand, runCountersign } from '../support/countersign.ts';
import { mtlsHost, plainHost } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { startDevelopmentServer } from '../support/development-server.ts';
import { examine, type Patient, runDoctor, startPatient } from '../support/doctor.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// Some hundred handshakes on a machine that may be busy.

const outcomesOf = (forgeries: readonly ForgeryReport[], name: string) =>
  new Set(forgeries.filter(({ forgery }) => forgery === name).map(({ outcome }) => outcome));

function expectUnexamined({ code, stdout, stderr }: FinishedCommand, ...words: string[]) {
  expect([code, stdout]).toEqual([1, '']);
  for (const word of words) expect(stderr).toContain(word);
  expect(stderr).not.toMatch(/\n./);
}

describeWith(['nginx', 'redis-server'], 'the doctor, nginx as shipped', () => {
  let patient: Patient;
  let examined: Awaited<ReturnType<typeof examine>>;
  beforeAll(async () => {
    patient = await startPatient({ replace: [[' ssl default_server', ' ssl http2 default_server']] });
    examined = await examine(patient);
  });
  afterAll(() => patient?.stop());

  test('finds all sound, and shows it', async () => {
    const { code, stdout, stderr } = await runDoctor(patient);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`This machine → ${patient.mtlsUrl}/token`);
    expect(stdout).toMatch(/certificate +asked for; shown: CN=patient/);
    expect(stdout).toMatch(/X-SSL-Client-Cert +\d+ octets +your certificate, as nginx/);
    expect(stdout).toMatch(/with the certificate +your certificate, CN=patient; its chain is verified/);
    expect(stdout).toMatch(/without one +none: the terminator forwarded no certificate/);
    expect(stdout).toMatch(/in upper case +removed +removed +– +–/);
    expect(stdout).toMatch(/with underscores +removed +removed +removed +removed/);
    expect(stdout).toMatch(/folded into another field +400 +400 +– +–/);
    expect(stdout).toMatch(/Sound: your certificate was believed, and none of \d{3} forgeries got through\.\n$/);
    expect(stdout).not.toContain('\u001b');
  });

  test('speaks JSON, and of no secret', () => {
    const { code, stdout, examination } = examined;
    const { thumbprint } = patient.client;
    expect(code).toBe(0);
    expect(examination).toMatchObject({
      conclusion: 'sound',
      url: patient.issuer,
      server: { terminator: 'nginx', mtls_url: patient.mtlsUrl, certificate_header: 'x-ssl-client-cert' },
      own_certificate: { subject: 'CN=patient', thumbprint, made: false },
      handshakes: [
        { route: 'mutual_tls', server_name: mtlsHost, http2: true, client_certificate_requested: true, failure: null },
        { route: 'issuer', server_name: plainHost, http2: true, client_certificate_requested: false, failure: null },
      ],
      problems: [],
    });
    expect(examination.arrivals[0]).toMatchObject({
      route: 'mutual_tls',
      certificate: 'own',
      answer: 'HTTP 400 invalid_client',
      observation: {
        peer: 'unix',
        proxy_trust: { trusted: true },
        outcome: { kind: 'certificate', thumbprint, chain: { verified: true } },
      },
    });
    expect(stdout).not.toMatch(/PRIVATE KEY|BEGIN%20CERT[^"]{200}/);
  });

  test('tries every spelling over both protocols, with a certificate and without, at both names', () => {
    const { forgeries } = examined.examination;
    const exact = forgeries.filter(({ forgery, family }) => forgery === 'exact' && family === 'spelling');
    const straight = exact.filter(({ route }) => route === 'mutual_tls' || route === 'issuer');
    expect(straight).toHaveLength(8);
    expect(new Set(straight.map(({ outcome }) => outcome))).toEqual(new Set(['removed']));
    expect(exact.map(({ route }) => route)).toEqual(expect.arrayContaining(['issuer_handshake', 'reused_from_issuer']));
    expect(outcomesOf(forgeries, 'trailer')).toEqual(new Set(['removed', 'refused_by_proxy']));
    expect(outcomesOf(forgeries, 'folded')).toEqual(new Set(['refused_by_proxy']));
    const ofOthers = forgeries.filter(({ family }) => family === 'other_format');
    expect(new Set(ofOthers.map(({ outcome }) => outcome))).toEqual(new Set(['removed']));
    expect(examined.examination.notes).toEqual([]);
    expect(new Set(forgeries.map(({ outcome }) => outcome))).not.toContain('not_seen');
  });

  test('gets no token, and leaves its requests in the audit trail like any others', () => {
    const { forgeries } = examined.examination;
    const events = patient.countersign.auditEvents();
    expect(events.length).toBeGreaterThan(forgeries.length / 2);
    expect(new Set(events.map(({ event, client_id }) => `${event} ${client_id}`))).toEqual(
      new Set(['token_rejected countersign-doctor']),
    );
  });

  test('says in its help no more than it must of lists', async () => {
    const { stdout } = await runCountersign(['doctor', '--help']);
    expect(stdout).toContain('--operations');
    expect(stdout).not.toContain('[]');
  });

  describe('says in one line why it cannot examine', () => {
    test('without the operations listener', async () => {
      const operations = `http://127.0.0.1:${await freePort()}`;
      expectUnexamined(await runDoctor(patient, { operations }), operations, 'ECONNREFUSED', 'kubectl port-forward');
    });

    test('when the operations listener is something else', async () => {
      const operations = `http://127.0.0.1:${patient.port}`;
      expectUnexamined(await runDoctor(patient, { operations }), operations, 'is not the operations listener');
    });

    test('when the URL leads elsewhere', async () => {
      const url = `${patient.issuer}/elsewhere`;
      expectUnexamined(await runDoctor(patient, { url }), url, 'nothing that was sent', 'HTTP 404', '--url');
    });

    test('when the proxy is away', async () => {
      const address = `127.0.0.1:${await freePort()}`;
      expectUnexamined(await runDoctor(patient, { 'connect-to': address }), address, 'cannot reach', '--connect-to');
    });

    test('when the CA of the proxy is not known', async () => {
      expectUnexamined(await runDoctor(patient, { cacert: undefined }), mtlsHost, 'not trusted', '--cacert');
    });

    test('when it is another than the one that was named, without advice for those who start Node', async () => {
      const cacert = patient.client.writeTo(patient.directory, 'another').cert;
      const finished = await runDoctor(patient, { cacert });
      expectUnexamined(finished, 'is not trusted: not issued by a CA of', cacert);
      expect(finished.stderr).not.toContain('--use-system-ca');
    });

    test('as JSON, where a program reads it', async () => {
      const operations = `http://127.0.0.1:${await freePort()}`;
      const { code, stdout, stderr } = await runDoctor(patient, { operations, output: 'json' });
      expect([code, stderr, JSON.parse(stdout)]).toEqual([
        1,
        '',
        {
          conclusion: 'unexamined',
          reasons: [expect.stringMatching(/^cannot reach .*off \(COUNTERSIGN_OPERATIONS_LISTEN\)/)],
        },
      ]);
    });
  });
});

test('the development server prints a command that finds it sound', async () => {
  const cwd = temporaryDirectory();
  const server = await startDevelopmentServer(cwd, await freePort());
  onTestFinished(async () => void (await server.stop()));
  const [command] = /^npx countersign doctor .*$/m.exec(server.stdout()) ?? [];
  const args = command?.split(' ').slice(2) ?? [];
  const { code, stdout } = await runCountersign(args, { cwd });
  expect([code, stdout]).toEqual([0, expect.stringContaining('Sound: your certificate was believed, and none of')]);
  expect(stdout).not.toContain('ignored');
});

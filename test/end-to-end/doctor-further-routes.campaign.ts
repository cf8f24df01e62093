import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import type { DeploymentOptions } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { examine, type Patient, passedIn, runDoctor, startPatient, startPatientOnce } from '../support/doctor.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const forgetful = 'location / { proxy_pass http://countersign; proxy_set_header Host $host; }';

async function routesThrough(options: DeploymentOptions, more = {}) {
  const { code, examination } = await examine(await startPatientOnce(options), more);
  return { code, problems: examination.problems, routes: new Set(passedIn(examination).map(({ route }) => route)) };
}

describeWith(['nginx', 'redis-server'], 'the doctor finds forgeries that get through', () => {
  test('at the root, where the issuer has a path', async () => {
    const here = 'location / {\n        include /etc/nginx/countersign/forward-to-countersign.conf;';
    const { code, routes, problems } = await routesThrough({
      path: '/tenant',
      replace: [[here, `${forgetful} ${here.replace('/', '/tenant/')}`]],
    });
    expect([code, routes]).toEqual([2, new Set(['other_path'])]);
    expect(problems).toEqual([expect.stringMatching(/the forged certificate was believed .*:\d+\/token, and with/)]);
  });

  test('for a name that is not served', async () => {
    const refusal = 'connection that was opened for one of them.\n    return 421;';
    const { code, routes } = await routesThrough({ replace: [[refusal, `connection\n${forgetful}`]] });
    expect([code, routes]).toEqual([2, new Set(['unknown_host'])]);
  });

  test('in a handshake for a name that is not served', async () => {
    const server = createTestCa().issue({ eku: 'server' }).writeTo(temporaryDirectory(), 'server');
    const { code, routes } = await routesThrough({
      replace: [
        ['ssl_reject_handshake on;', `ssl_certificate ${server.cert}; ssl_certificate_key ${server.key};`],
        [
          '    return 421;\n}\n\n# Where',
          `if ($ssl_server_name !~ invalid$) { return 421; } ${forgetful}\n}\n\n# Where`,
        ],
      ],
    });
    expect([code, routes]).toEqual([2, new Set(['unknown_server_name'])]);
  });

  test('without TLS', async () => {
    const port = await freePort();
    const server = `server { listen 127.0.0.1:${port}; ${forgetful} } upstream countersign {`;
    const replace = [['upstream countersign {', server]] as const;
    const { code, routes, problems } = await routesThrough({ replace }, { 'http-port': String(port) });
    expect([code, routes]).toEqual([2, new Set(['plain_http'])]);
    expect(problems).toEqual([expect.stringContaining(`http://mtls.auth.example:${port}/token`)]);
  });
});

describeWith(['haproxy', 'redis-server'], 'the doctor finds forgeries that get through', () => {
  test('under a path that is spelled otherwise', async () => {
    const { code, routes } = await routesThrough({
      terminator: 'haproxy',
      replace: [
        ['(client-?cert|ssl-client|^cf-cert) -m reg', '(client-?cert|ssl-client|^cf-cert) -m reg if { path /token }'],
        ['default_backend countersign', 'http-request set-path %[path,url_dec]\n    default_backend countersign'],
      ],
    });
    expect([code, routes]).toEqual([2, new Set(['path_spelling'])]);
  });
});

describeWith(['nginx', 'redis-server'], 'the doctor, nginx as shipped, says how far it went', () => {
  let patient: Patient;
  beforeAll(async () => {
    patient = await startPatient();
  });
  afterAll(() => patient?.stop());

  test('in one line', async () => {
    const { stdout } = await runDoctor(patient);
    expect(stdout).toMatch(
      /\nCovered: https:.*, your certificate, a self-signed certificate, other paths and their spell/,
    );
    expect(stdout).toMatch(/Not covered: HTTP\/2 \(the proxy does not offer it\), a resumed TLS session \(the proxy/);
    expect(stdout).toMatch(/plain HTTP at 127.0.0.1 port 1 \(nothing answers there; .*request smuggling.*\.\nSound: /);
  });

  test('and that it came through on the ways that are meant, and on no other', async () => {
    const { code, examination } = await examine(patient);
    expect(code).toBe(0);
    const outcomes = (route: string) =>
      new Set(examination.forgeries.filter((forgery) => forgery.route === route).map(({ outcome }) => outcome));
    expect(outcomes('unknown_host')).toEqual(new Set(['refused_by_proxy']));
    expect(outcomes('unknown_server_name')).toEqual(new Set(['refused_by_proxy']));
    expect(outcomes('plain_http')).toEqual(new Set());
    expect(outcomes('path_spelling').size).toBeGreaterThan(0);
    expect(examination.coverage.covered).toContain('unknown names');
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import type { DeploymentOptions } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import {
  acceptedForgeries,
  type ProbedDeployment,
  runDoctor,
  runProbe,
  startProbedDeployment,
  startProbedDeploymentForTest,
} from '../support/doctor.ts';
import { freePort } from '../support/free-port.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const withoutOverwriting = 'location / { proxy_pass http://countersign; proxy_set_header Host $host; }';

/** The end of the shipped default server, which serves no host. */
const [rejection = ''] =
  /(?: *#.*\n)* *location \/ \{\n *return 421;\n *\}\n\}(?=\n\n)/.exec(
    readFileSync(join(repositoryRoot, 'nginx/countersign.conf'), 'utf8'),
  ) ?? [];

async function routesThrough(options: DeploymentOptions, more = {}) {
  const { code, report } = await runProbe(await startProbedDeploymentForTest(options), more);
  return {
    code,
    problems: report.problems,
    routes: new Set(acceptedForgeries(report).map(({ route }) => route)),
  };
}

describeWith(['nginx', 'redis-server'], 'countersign doctor finds that forgeries are accepted', () => {
  test('at the root path of an issuer with a path', async () => {
    const here = 'location / {\n        include /etc/nginx/countersign/forward-to-countersign.conf;';
    const { code, routes, problems } = await routesThrough({
      path: '/tenant',
      replace: [[here, `${withoutOverwriting} ${here.replace('/', '/tenant/')}`]],
    });
    expect([code, routes]).toEqual([3, new Set(['other_path'])]);
    expect(problems).toEqual([expect.stringMatching(/the forged certificate was accepted .*:\d+\/token, and with/)]);
  });

  test.each(['/introspect', '/revoke'])('at %s alone', async (path) => {
    const here = 'location / {\n        include /etc/nginx/countersign/forward-to-countersign.conf;';
    const { code, routes, problems } = await routesThrough({
      replace: [[here, `${withoutOverwriting.replace('/', `= ${path}`)} ${here}`]],
    });
    expect([code, routes]).toEqual([3, new Set(['other_path'])]);
    expect(problems).toEqual([expect.stringMatching(new RegExp(`was accepted .*:\\d+${path}, and with`))]);
  });

  test('for a Host that the proxy does not serve', async () => {
    const { code, routes } = await routesThrough({ replace: [[rejection, `${withoutOverwriting}\n}`]] });
    expect([code, routes]).toEqual([3, new Set(['unknown_host'])]);
  });

  test('in a handshake for a name that the proxy does not serve', async () => {
    const server = createTestCa().issue({ eku: 'server' }).writeTo(temporaryDirectory(), 'server');
    const { code, routes } = await routesThrough({
      replace: [
        ['ssl_reject_handshake on;', `ssl_certificate ${server.cert}; ssl_certificate_key ${server.key};`],
        [rejection, `if ($ssl_server_name !~ invalid$) { return 421; } ${withoutOverwriting}\n}`],
      ],
    });
    expect([code, routes]).toEqual([3, new Set(['unknown_server_name'])]);
  });

  test('over plain HTTP', async () => {
    const port = await freePort();
    const server = `server { listen 127.0.0.1:${port}; ${withoutOverwriting} } upstream countersign {`;
    const replace = [['upstream countersign {', server]] as const;
    const { code, routes, problems } = await routesThrough({ replace }, { 'http-port': String(port) });
    expect([code, routes]).toEqual([3, new Set(['plain_http'])]);
    expect(problems).toEqual([expect.stringContaining(`http://mtls.auth.example:${port}/token`)]);
  });
});

describeWith(['haproxy', 'redis-server'], 'countersign doctor finds that forgeries are accepted', () => {
  test('at an unnormalized path', async () => {
    const { code, routes } = await routesThrough({
      terminator: 'haproxy',
      replace: [
        [
          '(client-?cert|ssl-client|^cf-cert) -m reg',
          '(client-?cert|ssl-client|^cf-cert) -m reg if { path /token /introspect /revoke }',
        ],
        ['default_backend countersign', 'http-request set-path %[path,url_dec]\n    default_backend countersign'],
      ],
    });
    expect([code, routes]).toEqual([3, new Set(['unnormalized_path'])]);
  });
});

describeWith(['nginx', 'redis-server'], 'countersign doctor with nginx as shipped, without HTTP/2', () => {
  let deployment: ProbedDeployment;
  beforeAll(async () => {
    deployment = await startProbedDeployment({ replace: [[' ssl http2', ' ssl']] });
  });
  afterAll(() => deployment?.stop());

  test('prints its coverage in one line', async () => {
    const { stdout } = await runDoctor(deployment);
    expect(stdout).toMatch(
      /\nCovered: https:.*, your certificate, a self-signed certificate, other paths and their spell/,
    );
    expect(stdout).toMatch(/Not covered: HTTP\/2 \(the proxy does not offer it\), a resumed TLS session \(the proxy/);
    expect(stdout).toMatch(
      /plain HTTP at 127.0.0.1 port 1 \(no server responds there; .*request smuggling.*\.\nSecure: /,
    );
  });

  test('reports that unintended routes are closed', async () => {
    const { code, report } = await runProbe(deployment);
    expect(code).toBe(0);
    const outcomes = (route: string) =>
      new Set(report.forgeries.filter((forgery) => forgery.route === route).map(({ outcome }) => outcome));
    expect(outcomes('unknown_host')).toEqual(new Set(['rejected_by_proxy']));
    expect(outcomes('unknown_server_name')).toEqual(new Set(['rejected_by_proxy']));
    expect(outcomes('plain_http')).toEqual(new Set());
    expect(outcomes('unnormalized_path').size).toBeGreaterThan(0);
    expect(report.coverage.covered).toContain('host names that the proxy does not serve');
  });
});

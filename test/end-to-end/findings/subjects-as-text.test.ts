import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { describeWith } from '../../support/describe-with.ts';
import type { NameParts } from '../../support/distinguished-name.ts';
import { freePort } from '../../support/free-port.ts';
import { echoedValues, type HeaderEcho, startHeaderEcho } from '../../support/header-echo.ts';
import type { RunningTerminator } from '../../support/shipped-terminator.ts';
import { terminators } from '../../support/terminators.ts';

/** The directive that forwards the subject, for each terminator. */
const additions = {
  nginx: [
    'proxy_set_header X-SSL-Client-Verify',
    'proxy_set_header X-Subject $ssl_client_s_dn;\nproxy_set_header X-SSL-Client-Verify',
  ],
  haproxy: [
    'http-request set-header X-SSL-Client-Verify',
    'http-request set-header X-Subject %[ssl_c_s_dn]\n    http-request set-header X-SSL-Client-Verify',
  ],
  apache: [
    'RequestHeader set X-SSL-Client-Cert',
    'RequestHeader set X-Subject "%{SSL_CLIENT_S_DN}s"\nRequestHeader set X-SSL-Client-Cert',
  ],
  caddy: [
    'header_up X-SSL-Client-Cert',
    'header_up X-Subject {http.request.tls.client.subject}\n\t\theader_up X-SSL-Client-Cert',
  ],
} as const;
/** Safe: the table is closed, so its keys are exactly these names. */
const names = Object.keys(additions) as (keyof typeof additions)[];

const subjects: Record<string, NameParts> = {
  'a comma': [['CN', 'victim,O=Bank']],
  'two names': [
    ['O', 'Bank'],
    ['CN', 'victim'],
  ],
  'UTF-8': [['CN', 'Müller']],
  'a multi-valued RDN': [
    [
      ['CN', 'x'],
      ['serialNumber', '1'],
    ],
    [
      ['UID', 'u'],
      ['OU', 'A'],
    ],
  ],
  'a slash': [['CN', 'x/CN=admin']],
  'two CNs': [
    ['CN', 'x'],
    ['CN', 'admin'],
  ],
};

describeWith(['nginx', 'haproxy', 'apache2', 'caddy', 'redis-server'], 'finding 10: subjects as text', () => {
  let deployment: Deployment;
  let echo: HeaderEcho;
  const running: RunningTerminator[] = [];
  const texts: Record<string, Record<string, string>> = {};
  beforeAll(async () => {
    deployment = await startDeployment({ terminator: 'haproxy' });
    echo = await startHeaderEcho();
    for (const name of names) {
      const port = await freePort();
      const { directory } = deployment;
      running.push(await terminators[name].start({ directory, port, socket: echo.url, replace: [additions[name]] }));
      for (const [title, subject] of Object.entries(subjects)) {
        const echoed = await deployment.send({}, { identity: deployment.ca.issue({ subject }), port });
        texts[title] = { ...texts[title], [name]: echoedValues(echoed, 'X-Subject')[0] ?? '' };
      }
    }
  });
  afterAll(async () => {
    for (const terminator of running) await terminator.stop();
    await deployment?.stop();
    await echo?.stop();
  });

  test('one subject has different texts behind different terminators', () => {
    expect(texts['a comma']).toMatchObject({ nginx: 'CN=victim\\,O=Bank', haproxy: '/CN=victim,O=Bank' });
    expect(texts['two names']).toMatchObject({ nginx: 'CN=victim,O=Bank', haproxy: '/O=Bank/CN=victim' });
    for (const title of ['UTF-8', 'a multi-valued RDN']) {
      expect(new Set(Object.values(texts[title] ?? {})).size, title).toBeGreaterThan(2);
    }
  });

  test('two subjects have the same text behind one terminator', () => {
    expect(texts['a slash']?.haproxy).toBe('/CN=x/CN=admin');
    expect(texts['two CNs']?.haproxy).toBe('/CN=x/CN=admin');
  });

  test('the server distinguishes them, since it parses the certificate', async () => {
    const registered = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=admin,CN=x' };
    await deployment.register({ client_id: 'admin', ...registered });
    const request = async (subject: NameParts = []) =>
      (await deployment.requestToken('admin', { identity: deployment.ca.issue({ subject }) })).event;
    expect(await request(subjects['a slash'])).toMatchObject({ event: 'token_rejected', subject: 'CN=x/CN=admin' });
    expect(await request(subjects['two CNs'])).toMatchObject({ event: 'token_issued', client_id: 'admin' });
  });
});

import { BlockList } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createObservations } from '../../../src/doctor/observer/observations.ts';
import { type Observation, withObserver } from '../../../src/doctor/observer/observe.ts';
import { invalidClient } from '../../../src/oauth/oauth-error.ts';
import type { Terminator } from '../../../src/terminator/terminator.ts';
import type { Peer } from '../../../src/terminator/trusted-proxy.ts';
import { selfSigned } from '../../support/certificates.ts';

const terminator: Terminator = {
  name: 'nginx',
  certificateHeader: 'x-renamed-cert',
  chainHeader: undefined,
  verification: { by: 'header', fields: [{ header: 'x-ssl-client-verify', successValue: 'SUCCESS' }] },
  proxyTrust: { trustedAddresses: new BlockList(), proxySecretDigests: [], proxyCertificateRules: [] },
};
const id = 'w'.repeat(22);
const certificate = selfSigned();
const unix: Peer = { kind: 'unix' };

function observe(headers: readonly string[], peer: Peer = unix, fail?: Error): readonly Observation[] {
  const observations = createObservations<Observation>(() => 0);
  observations.watch(id);
  const present = withObserver(
    () => {
      if (fail) throw fail;
      return { kind: 'none', reason: 'there is none' };
    },
    terminator,
    observations,
  );
  const request = { headers: ['X-Countersign-Doctor', `${id}.7`, ...headers], peer };
  if (fail) expect(() => present(request)).toThrow(fail);
  else expect(present(request)).toEqual({ kind: 'none', reason: 'there is none' });
  return observations.read(id) ?? [];
}

const fieldsIn = (headers: readonly string[]) => observe(headers)[0]?.fields ?? [];

test('a request with the id is observed, with what else the watcher calls it', () => {
  expect(observe([])).toEqual([
    {
      request: '7',
      peer: 'unix',
      proxy_trust: { trusted: true },
      fields: [],
      outcome: { kind: 'none', reason: 'there is none' },
    },
  ]);
});

test('a refusal is observed with its reason, and stays one', () => {
  expect(observe([], unix, invalidClient('came twice'))[0]?.outcome).toEqual({
    kind: 'refused',
    reason: 'came twice',
  });
  expect(observe([], unix, new Error('hunter2'))[0]?.outcome).toEqual({ kind: 'refused', reason: 'a fault of ours' });
});

test('a peer that is not trusted is observed with the reason', () => {
  expect(observe([], { kind: 'address', address: '192.0.2.1' })[0]).toMatchObject({
    peer: '192.0.2.1',
    proxy_trust: { trusted: false, reason: expect.stringContaining('COUNTERSIGN_TRUSTED_PROXIES') },
  });
});

describe('of the fields', () => {
  test.each(['X-SSL-Client-Verify', 'x_ssl.client_verify', 'X-RENAMED-CERT', 'Client-Cert', 'Connection', 'Host'])(
    '%s is shown',
    (name) => expect(fieldsIn([name, 'value'])).toMatchObject([{ name, octets: 5, value: 'value' }]),
  );

  test.each([
    ['Authorization', 'Basic c2VjcmV0'],
    ['Cookie', 'session=secret'],
    ['X-Api-Key', Buffer.alloc(300, 'secret').toString('base64')],
  ])('%s is not', (name, value) => {
    expect(fieldsIn([name, value])).toEqual([]);
  });

  test.each(['X-Countersign-Proxy-Secret', 'x_countersign_proxy_secret'])(
    'of %s no more than that it is there',
    (name) => {
      const shown = fieldsIn([name, 's'.repeat(64)]);
      expect(shown).toEqual([{ name, octets: 64, value: '(not shown)', digest: '(not shown)' }]);
    },
  );

  test('a certificate is recognised in whatever encoding, and under whatever name', () => {
    const value = Buffer.from(certificate.der).toString('base64');
    const [shown] = fieldsIn(['X-Misspelled', value]);
    expect(shown).toMatchObject({
      name: 'X-Misspelled',
      octets: value.length,
      certificate: { formats: expect.arrayContaining(['haproxy', 'caddy']), thumbprint: certificate.thumbprint },
    });
    expect(shown?.value).toHaveLength(120);
  });

  test('there are 64 at most', () => {
    expect(fieldsIn(Array.from({ length: 200 }, () => ['client-cert', 'x']).flat())).toHaveLength(64);
  });
});

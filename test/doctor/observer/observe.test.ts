import { BlockList } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createObservationStore } from '../../../src/doctor/observer/observation-store.ts';
import {
  type Observation,
  WITHOUT_CERTIFICATE,
  withCheckObserver,
  withObserver,
} from '../../../src/doctor/observer/observe.ts';
import { HeaderFields } from '../../../src/http/header-fields.ts';
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
  const observations = createObservationStore<Observation>(() => 0);
  observations.watch(id);
  const readCertificate = withObserver(
    () => {
      if (fail) throw fail;
      return { kind: 'none', code: 'certificate_missing', reason: 'there is none' };
    },
    terminator,
    observations,
  );
  const request = { headers: new HeaderFields(['X-Countersign-Doctor', `${id}.7`, ...headers]), peer };
  if (fail) expect(() => readCertificate(request, { event: '' })).toThrow(fail);
  else expect(readCertificate(request, { event: '' })).toMatchObject({ kind: 'none', code: 'certificate_missing' });
  return observations.read(id) ?? [];
}

const fieldsIn = (headers: readonly string[]) => observe(headers)[0]?.fields ?? [];

test('a request with the id of a watch is observed under its own name', () => {
  expect(observe([])).toEqual([
    {
      request: '7',
      peer: 'unix',
      proxy_trust: { trusted: true },
      fields: [],
      outcome: { kind: 'absent', reason: 'there is none' },
    },
  ]);
});

test('a rejection is observed with its reason and thrown again', () => {
  expect(observe([], unix, invalidClient('forwarded_header_repeated', 'came twice'))[0]?.outcome).toEqual({
    kind: 'rejected',
    reason: 'came twice',
  });
  expect(observe([], unix, new Error('hunter2'))[0]?.outcome).toEqual({ kind: 'rejected', reason: 'internal error' });
});

test('an untrusted peer is observed with the reason', () => {
  expect(observe([], { kind: 'address', address: '192.0.2.1' })[0]).toMatchObject({
    peer: '192.0.2.1',
    proxy_trust: { trusted: false, reason: expect.stringContaining('COUNTERSIGN_TRUSTED_PROXIES') },
  });
});

describe('an observation', () => {
  test.each(['X-SSL-Client-Verify', 'x_ssl.client_verify', 'X-RENAMED-CERT', 'Client-Cert', 'Connection', 'Host'])(
    'contains the field %s',
    (name) => expect(fieldsIn([name, 'value'])).toMatchObject([{ name, bytes: 5, value: 'value' }]),
  );

  test.each([
    ['Authorization', 'Basic c2VjcmV0'],
    ['Cookie', 'session=secret'],
    ['X-Api-Key', Buffer.alloc(300, 'secret').toString('base64')],
  ])('does not contain the field %s', (name, value) => {
    expect(fieldsIn([name, value])).toEqual([]);
  });

  test.each(['X-Countersign-Proxy-Secret', 'x_countersign_proxy_secret'])('redacts the value of %s', (name) => {
    const fields = fieldsIn([name, 's'.repeat(64)]);
    expect(fields).toEqual([{ name, bytes: 64, value: '(redacted)', digest: '(redacted)' }]);
  });

  test('recognizes a certificate in any encoding and under any field name', () => {
    const value = Buffer.from(certificate.der).toString('base64');
    const [field] = fieldsIn(['X-Misspelled', value]);
    expect(field).toMatchObject({
      name: 'X-Misspelled',
      bytes: value.length,
      certificate: { formats: expect.arrayContaining(['haproxy', 'caddy']), thumbprint: certificate.thumbprint },
    });
    expect(field?.value).toHaveLength(120);
  });

  test('contains at most 64 fields', () => {
    expect(fieldsIn(Array.from({ length: 200 }, () => ['client-cert', 'x']).flat())).toHaveLength(64);
  });
});

describe('a check', () => {
  const { thumbprint } = certificate;
  const escaped = encodeURIComponent(certificate.pem);

  function observeCheck(watch: string, read: ReturnType<typeof withCheckObserver>, headers: readonly string[]) {
    const checks = createObservationStore<Observation>(() => 0);
    checks.watch(watch);
    const request = { headers: new HeaderFields(headers), peer: unix };
    try {
      withCheckObserver(read, terminator, checks)(request, { event: '' });
    } catch {
      // As the reader threw it.
    }
    return (checks.read(watch) ?? []).map(({ request: name, outcome }) => [name, outcome.kind]);
  }
  const absent = () => ({ kind: 'none', code: 'certificate_missing', reason: 'there is none' }) as const;
  const reject = () => {
    throw invalidClient('forwarded_header_repeated', 'came twice');
  };

  test('without a certificate is observed by the watch for those', () => {
    expect(observeCheck(WITHOUT_CERTIFICATE, absent, [])).toEqual([['', 'absent']]);
    expect(observeCheck(thumbprint, absent, [])).toEqual([]);
  });

  test('with a rejected certificate is observed by the watch for it', () => {
    expect(observeCheck(thumbprint, reject, ['X-SSL-Client-Cert', escaped])).toEqual([['', 'rejected']]);
    expect(observeCheck(WITHOUT_CERTIFICATE, reject, ['X-SSL-Client-Cert', escaped])).toEqual([]);
  });
});

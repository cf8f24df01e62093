import { expect, test } from 'vitest';
import { edgeBaseline, edgeForgeries, FORGED, protectedRoute } from '../../../../src/doctor/probe/edge/edge-trials.ts';
import type { HandshakeReport } from '../../../../src/doctor/probe/probe-report.ts';
import { identityHeaders } from '../../../../src/edge/approval.ts';
import { selfSigned } from '../../../support/certificates.ts';

const route = protectedRoute('https://api.example:8443/orders/?a=b', undefined);
const handshake = (http2: boolean): HandshakeReport => ({
  route: 'protected',
  url: route.title,
  connected_to: 'api.example:8443',
  server_name: 'api.example',
  tls_version: 'TLSv1.3',
  http2,
  client_certificate_requested: true,
  failure: null,
});
const edge = {
  terminator: 'nginx',
  certificate_header: 'x-ssl-client-cert',
  chain_header: null,
  verification: { by: 'countersign', fields: [{ header: 'x-ssl-client-verify', successValue: 'SUCCESS' }] },
  proxy_trust: 'Unix socket',
} as const;
const trials = edgeForgeries(route, handshake(true), edge, selfSigned().der);

test('a protected URL is a route with its host, path and query', () => {
  expect(route).toMatchObject({
    address: { host: 'api.example', port: 8443 },
    serverName: 'api.example',
    endpoints: [{ host: 'api.example:8443', path: '/orders/?a=b' }],
  });
  expect(protectedRoute('https://[::1]/', { host: '127.0.0.1', port: 1 })).toMatchObject({
    address: { host: '127.0.0.1', port: 1 },
    serverName: '::1',
    endpoints: [{ host: '[::1]', path: '/' }],
  });
});

test('the baseline has each certificate and none', () => {
  const presentedIn = (generated: boolean) =>
    edgeBaseline(route, handshake(false), { generated } as Parameters<typeof edgeBaseline>[2]).map((t) => t.presented);
  expect(presentedIn(false)).toEqual(['own', 'untrusted', 'none']);
  expect(presentedIn(true)).toEqual(['own', 'none']);
});

test.each(Object.keys(identityHeaders))('%s is forged with and without a certificate, over both protocols', (name) => {
  const spelled = (spelling: string) =>
    trials
      .filter(({ forgery: { http1 } }) =>
        http1?.last.some((line) => line.startsWith(`${spelling}: `) && line.includes(FORGED)),
      )
      .map(({ presented, protocol }) => `${presented} ${protocol}`);
  const all = ['own http/1.1', 'own h2', 'none http/1.1', 'none h2'];
  for (const spelling of [name, name.replaceAll('-', '_'), name.replaceAll('-', '.')]) {
    expect(new Set(spelled(spelling))).toEqual(new Set(all));
  }
  for (const spelling of [name.toLowerCase(), name.toUpperCase()]) {
    expect(spelled(spelling)).toEqual(expect.arrayContaining(['own http/1.1', 'none http/1.1']));
  }
});

test.each(['twice', 'trailer', 'unannounced_trailer', 'in_connection', 'only_in_connection', 'folded'])(
  'identity headers and Authorization are forged apart: %s',
  (name) => {
    const names = trials.map(({ forgery }) => forgery.name);
    expect(names).toEqual(expect.arrayContaining([`identity_${name}`, `authorization_${name}`, `certificate_${name}`]));
  },
);

test('other spellings of the path keep the query', () => {
  const paths = trials
    .filter(({ route: { name } }) => name === 'unnormalized_path')
    .map(({ route: r }) => r.endpoints[0].path);
  expect(new Set(paths)).toEqual(
    new Set([
      ...['/%6frders/?a=b', '/Orders/?a=b', '/./orders/?a=b', '/x/../orders/?a=b', '/x/%2e%2e/orders/?a=b'],
      ...['/x/..;/orders/?a=b', '//orders/?a=b', '/orders;x?a=b', '/orders?a=b', '/orders/../x?a=b'],
    ]),
  );
});

test('without HTTP/2, nothing is sent over it', () => {
  const protocols = edgeForgeries(route, handshake(false), edge, selfSigned().der).map(({ protocol }) => protocol);
  expect(new Set(protocols)).toEqual(new Set(['http/1.1']));
});

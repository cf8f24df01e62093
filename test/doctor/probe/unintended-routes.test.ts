import { expect, test } from 'vitest';
import { planRoutes } from '../../../src/doctor/probe/routes.ts';
import { unintendedRoutes } from '../../../src/doctor/probe/unintended-routes.ts';

const server = { issuer: 'https://auth.example/tenant', mtls_url: 'https://mtls.auth.example/tenant' };
const address = { host: '127.0.0.1', port: 8443 };
const { direct: straight } = planRoutes(server.issuer, server, address);
const routesWith = (httpPort: number) => unintendedRoutes(straight, ['/tenant', '/tenant'], httpPort);

test('unintended routes include every path at every name and unnormalized spellings of direct paths', () => {
  expect(routesWith(80).paths.map(({ title }) => title)).toEqual([
    ...['mtls.auth.example', 'auth.example'].flatMap((host) => [
      `https://${host}/token`,
      `https://${host}/introspect`,
      `https://${host}/revoke`,
      `https://${host}/tenant/introspect`,
      `https://${host}/tenant/revoke`,
    ]),
    'https://mtls.auth.example/tenant/%74oken',
    'https://mtls.auth.example/tenant/./token',
    'https://mtls.auth.example/tenant/x/../token',
    'https://auth.example/tenant/%74oken',
    'https://auth.example/tenant/./token',
    'https://auth.example/tenant/x/../token',
  ]);
});

test('unintended routes include unknown host names in the handshake, in the request and in both', () => {
  const unknown = 'countersign-doctor.invalid';
  const names = routesWith(80).unknownNames.map(({ serverName, transport, endpoints }) => {
    return [serverName, transport, endpoints[0].host];
  });
  expect(names).toEqual([
    ['mtls.auth.example', 'tls', unknown],
    [unknown, 'tls_unverified', 'mtls.auth.example'],
    ['auth.example', 'tls', unknown],
    [unknown, 'tls_unverified', 'auth.example'],
    [unknown, 'tls_unverified', unknown],
  ]);
});

test.each([
  [80, 'http://mtls.auth.example/tenant/token'],
  [8080, 'http://mtls.auth.example:8080/tenant/token'],
])('unintended routes include plain HTTP on port %i at the address of --connect-to', (port, title) => {
  expect(routesWith(port).plainHttp[0]).toMatchObject({
    title,
    address: { host: '127.0.0.1', port },
    transport: 'plain',
  });
});

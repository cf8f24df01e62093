import { expect, test } from 'vitest';
import { furtherRoutes } from '../../../src/doctor/probe/further-routes.ts';
import { routesTo } from '../../../src/doctor/probe/routes.ts';

const server = { issuer: 'https://auth.example/tenant', mtls_url: 'https://mtls.auth.example/tenant' };
const address = { host: '127.0.0.1', port: 8443 };
const { straight } = routesTo(server.issuer, server, address);
const further = (httpPort: number) => furtherRoutes(straight, ['/tenant', '/tenant'], httpPort);

test('every path at every name, and every path that is meant in other spellings', () => {
  expect(further(80).paths.map(({ title }) => title)).toEqual([
    'https://mtls.auth.example/token',
    'https://auth.example/token',
    'https://mtls.auth.example/tenant/%74oken',
    'https://mtls.auth.example/tenant/./token',
    'https://mtls.auth.example/tenant/x/../token',
    'https://auth.example/tenant/%74oken',
    'https://auth.example/tenant/./token',
    'https://auth.example/tenant/x/../token',
  ]);
});

test('unknown names in the handshake, in the request, and in both', () => {
  const unknown = 'countersign-doctor.invalid';
  const shown = further(80).unknownNames.map(({ serverName, transport, endpoints }) => {
    return [serverName, transport, endpoints[0].authority];
  });
  expect(shown).toEqual([
    ['mtls.auth.example', 'tls', unknown],
    [unknown, 'tls_to_anybody', 'mtls.auth.example'],
    ['auth.example', 'tls', unknown],
    [unknown, 'tls_to_anybody', 'auth.example'],
    [unknown, 'tls_to_anybody', unknown],
  ]);
});

test.each([
  [80, 'http://mtls.auth.example/tenant/token'],
  [8080, 'http://mtls.auth.example:8080/tenant/token'],
])('without TLS on port %i, where we connect anyway', (port, title) => {
  expect(further(port).plain[0]).toMatchObject({ title, address: { host: '127.0.0.1', port }, transport: 'plain' });
});

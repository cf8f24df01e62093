import { expect, test } from 'vitest';
import { planRoutes } from '../../../src/doctor/probe/routes.ts';

const describeRoutes = (
  url: string,
  server: { issuer: string; mtls_url: string },
  connectTo?: { host: string; port: number },
) => {
  const { direct: straight, mismatched: crossing } = planRoutes(url, server, connectTo);
  return [...straight, ...crossing].map(({ name, address, serverName, endpoints }) => {
    const requests = endpoints.map(({ host, path }) => host + path).join(' ');
    return `${name}: ${address.host}:${address.port} ${serverName || '-'} ${requests}`;
  });
};

const spellings = [
  'https://auth.example',
  'https://mtls.auth.example/',
  'HTTPS://Auth.Example:443',
  'https://auth.example.',
];

test.each(spellings)('routes include both names of the server when the URL is %s', (url) => {
  expect(describeRoutes(url, { issuer: 'https://auth.example/', mtls_url: 'https://mtls.auth.example' })).toEqual([
    'mutual_tls: mtls.auth.example:443 mtls.auth.example mtls.auth.example/token',
    'issuer: auth.example:443 auth.example auth.example/token',
    'no_server_name: mtls.auth.example:443 - mtls.auth.example/token',
    'issuer_handshake: auth.example:443 auth.example mtls.auth.example/token',
    'mutual_tls_handshake: mtls.auth.example:443 mtls.auth.example auth.example/token',
    'reused_from_issuer: auth.example:443 auth.example auth.example/token mtls.auth.example/token',
    'reused_from_mutual_tls: mtls.auth.example:443 mtls.auth.example mtls.auth.example/token auth.example/token',
  ]);
});

test('routes of one name include both of its paths', () => {
  const server = { issuer: 'https://auth.example', mtls_url: 'https://auth.example/mtls' };
  expect(describeRoutes('https://auth.example', server, { host: '::1', port: 8443 })).toEqual([
    'mutual_tls: ::1:8443 auth.example auth.example/mtls/token',
    'issuer: ::1:8443 auth.example auth.example/token',
    'no_server_name: ::1:8443 - auth.example/mtls/token',
  ]);
});

test('routes to an unknown URL include only this URL', () => {
  const server = { issuer: 'https://auth.example', mtls_url: 'https://mtls.auth.example' };
  expect(describeRoutes('https://[::1]:8443/x', server)).toEqual([
    'mutual_tls: ::1:8443 ::1 [::1]:8443/x/token',
    'no_server_name: ::1:8443 - [::1]:8443/x/token',
  ]);
});

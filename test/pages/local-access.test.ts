import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { HeaderFields } from '../../src/http/header-fields.ts';
import { remoteAccess } from '../../src/pages/local-access.ts';

function requestFrom(remoteAddress: string | undefined, host: string) {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
  return { socket, fields: new HeaderFields(['Host', host]) };
}

test.each([
  ['the loopback address', '127.0.0.1', '127.0.0.1:9090'],
  ['IPv6 loopback', '::1', '[::1]:9090'],
  ['IPv4 loopback at a listener on [::]', '::ffff:127.0.0.1', 'localhost:9090'],
  ['a Unix socket, which has no address', undefined, 'localhost'],
])('what is for this machine is served to %s', (_, address, host) => {
  expect(remoteAccess(requestFrom(address, host))).toBeUndefined();
});

test.each([
  ['another pod', '10.244.1.7', '10.244.0.5:9090'],
  ['another pod that names this machine', '10.244.1.7', 'localhost:9090'],
  ['another pod at a listener on [::]', '::ffff:10.244.1.7', 'localhost:9090'],
  ['another machine over IPv6', 'fd00::7', 'localhost:9090'],
  ['this machine for another name, as after DNS rebinding', '127.0.0.1', 'attacker.example:9090'],
])('what is for this machine is not served to %s', (_, address, host) => {
  expect(remoteAccess(requestFrom(address, host))).toMatch(/this machine|Host is not/);
});

import { expect, test } from 'vitest';
import { parseRedisUrl } from '../../src/redis/redis-url.ts';

test.each([
  ['redis://r', { host: 'r', port: 6379 }, 0, 'redis://r:6379/0'],
  ['redis://r:7000/2', { host: 'r', port: 7000 }, 2, 'redis://r:7000/2'],
  ['redis://[::1]:7000', { host: '::1', port: 7000 }, 0, 'redis://[::1]:7000/0'],
  ['redis://u%40:p%2F@r', { host: 'r', port: 6379, username: 'u@', password: 'p/' }, 0, 'redis://r:6379/0'],
  ['redis://:p@r', { host: 'r', port: 6379, password: 'p' }, 0, 'redis://r:6379/0'],
  ['rediss://r/1', { host: 'r', port: 6379, tls: { servername: 'r' } }, 1, 'rediss://r:6379/1'],
  ['rediss://192.0.2.7', { host: '192.0.2.7', port: 6379, tls: {} }, 0, 'rediss://192.0.2.7:6379/0'],
  ['rediss://[2001:db8::7]', { host: '2001:db8::7', port: 6379, tls: {} }, 0, 'rediss://[2001:db8::7]:6379/0'],
  ['unix:///run/r.sock', { path: '/run/r.sock' }, 0, 'unix:/run/r.sock, database 0'],
  [
    'unix://u:p@localhost/run/r.sock?db=3',
    { path: '/run/r.sock', username: 'u', password: 'p' },
    3,
    'unix:/run/r.sock, database 3',
  ],
])('%s', (url, connection, database, description) => {
  expect(parseRedisUrl(url)).toEqual({ connection, database, description });
});

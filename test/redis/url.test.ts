import { expect, test } from 'vitest';
import { parseRedisUrl } from '../../src/redis/url.ts';

const server = (host: string, port = 6379) => ({ kind: 'server', endpoint: { host, port }, isEncrypted: false });
const usual = { credentials: {}, isEncrypted: false, database: 0 };

test.each([
  ['redis://r', { ...usual, ...server('r'), description: 'redis://r:6379/0' }],
  ['redis://r:80', { ...usual, ...server('r', 80), description: 'redis://r:80/0' }],
  ['redis://r:7000/2', { ...usual, ...server('r', 7000), database: 2, description: 'redis://r:7000/2' }],
  ['redis://[::1]:7000', { ...usual, ...server('::1', 7000), description: 'redis://[::1]:7000/0' }],
  ['redis://u%40:p%2F@r', { ...usual, ...server('r'), credentials: { username: 'u@', password: 'p/' } }],
  ['redis://:p@r', { ...usual, ...server('r'), credentials: { password: 'p' } }],
  ['rediss://r/1', { ...usual, ...server('r'), isEncrypted: true, database: 1, description: 'rediss://r:6379/1' }],
  [
    'unix:///run/r.sock',
    { ...usual, kind: 'socket', path: '/run/r.sock', description: 'unix:/run/r.sock, database 0' },
  ],
  [
    'unix://u:p@localhost/run/r.sock?db=3',
    { kind: 'socket', path: '/run/r.sock', credentials: { username: 'u', password: 'p' }, database: 3 },
  ],
  [
    'redis+sentinel://u:p@s1,[::1]:26380/mymaster/2?sentinel_username=w&sentinel_password=x%26',
    {
      kind: 'sentinel',
      sentinels: [
        { host: 's1', port: 26379 },
        { host: '::1', port: 26380 },
      ],
      master: 'mymaster',
      credentials: { username: 'u', password: 'p' },
      sentinelCredentials: { username: 'w', password: 'x&' },
      database: 2,
      description: 'redis+sentinel://s1:26379,[::1]:26380/mymaster/2',
    },
  ],
  ['rediss+sentinel://s/m', { kind: 'sentinel', isEncrypted: true, sentinelCredentials: {}, database: 0 }],
  [
    'redis+cluster://:p@a:7000,b',
    {
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 6379 },
      ],
      credentials: { password: 'p' },
      description: 'redis+cluster://a:7000,b:6379',
    },
  ],
  ['rediss+cluster://a', { kind: 'cluster', isEncrypted: true, database: 0 }],
])('parseRedisUrl parses %s', (url, address) => {
  expect(parseRedisUrl(url)).toMatchObject(address);
});

test.each([
  ['http://r', 'redis://'],
  ['redis+other://r', 'redis+sentinel://'],
  ['r:6379', 'redis://'],
  ['redis://', 'host'],
  ['redis://u:secret@', 'host'],
  ['redis://u:secret@r:port', 'percent-encoded'],
  ['redis://a,b', 'redis+cluster://'],
  ['redis://r/x', 'database'],
  ['redis+sentinel://s', 'master'],
  ['redis+sentinel://s/m/x', 'database'],
  ['redis+cluster://u:secret@a,b/1', 'database'],
  ['redis+cluster://a,,b', 'host'],
  ['unix://', 'socket'],
  ['redis://user:123#secret@host', '#'],
  ['redis://h?db=3', 'unknown parameter "db"; there are none'],
  ['unix:///s?database=3', 'only db may be used'],
  ['redis+sentinel://s/m?sentinel_pasword=secret', 'sentinel_username and sentinel_password'],
  ['redis+sentinel://u:secret@s1,u2:secret@s2/m', 'more than one @'],
  ['redis://u:%ZZsecret@h', '%'],
  ['redis://u:7?secret@h:1', 'percent-encoded'],
  ['redis+sentinel://u:7?secret=1@s/m', 'percent-encoded'],
  ['redis+sentinel://u:7/secret@s', 'percent-encoded'],
  ['unix://u:7/secret@localhost/run/r.sock', 'percent-encoded'],
  ['unix://run/r.sock', 'a socket is a path'],
  ['redis://h:0', 'port 0'],
])('parseRedisUrl rejects %s without repeating it', (url, reason) => {
  expect(() => parseRedisUrl(url)).toThrow(RangeError);
  expect(() => parseRedisUrl(url)).toThrow(reason);
  expect(() => parseRedisUrl(url)).not.toThrow('secret');
});

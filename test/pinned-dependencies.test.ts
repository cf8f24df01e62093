import { readFileSync } from 'node:fs';
import { createServer, IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { repositoryRoot } from './support/repository-root.ts';

/** Packages whose undocumented behaviour src/ relies on, and the test that checks it. */
const pinned = {
  ioredis: 'test/redis/ioredis-internals.test.ts',
  '@hono/node-server': 'test/pinned-dependencies.test.ts',
};

const readJson = (...path: string[]) => JSON.parse(readFileSync(join(repositoryRoot, ...path), 'utf8'));

test.each(Object.entries(pinned))('package.json pins %s to the installed version', (name, check) => {
  const declared: string = readJson('package.json').devDependencies[name];
  const fix = `pin ${name} to an exact version in package.json: src/ relies on parts that only ${check} guards`;
  expect(declared, fix).toMatch(/^\d+\.\d+\.\d+$/);
  const lock = readJson('package-lock.json').packages;
  expect([lock[''].devDependencies[name], lock[`node_modules/${name}`].version]).toEqual([declared, declared]);
  expect(readJson('node_modules', name, 'package.json').version, 'run npm ci').toBe(declared);
});

describe('@hono/node-server', () => {
  interface Bindings {
    readonly incoming?: unknown;
  }

  /** The bindings that `fetch` receives for a POST, and the body that can be read from them then. */
  async function post(body: string, headers: Record<string, string[]>) {
    let received: Bindings = {};
    let read = '';
    const listener = getRequestListener(async (_, bindings) => {
      received = bindings;
      if (bindings.incoming instanceof IncomingMessage) read = (await bindings.incoming.toArray()).join('');
      return new Response('done');
    });
    const server = createServer(listener);
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
    const pairs = Object.entries(headers).flatMap(([name, values]) =>
      values.map((value): [string, string] => [name, value]),
    );
    await fetch(`http://127.0.0.1:${address.port}/`, { method: 'POST', body, headers: pairs });
    return { received, read };
  }

  test('passes Node’s own request as env.incoming, which src/endpoints/request.ts relies on', async () => {
    const { received } = await post('', { 'x-name': ['a', 'b'] });
    expect(received.incoming, 'env.incoming is not an IncomingMessage').toBeInstanceOf(IncomingMessage);
    expect(received.incoming, 'env.incoming lacks rawHeaders').toHaveProperty('rawHeaders', expect.any(Array));
    expect(received.incoming, 'env.incoming lacks the socket').toHaveProperty('socket.remoteAddress', '127.0.0.1');
  });

  test('leaves the body of env.incoming unread, which src/endpoints/request.ts relies on', async () => {
    const { read } = await post('a=1&b=2', {});
    expect(read, 'env.incoming was read before the app read it').toBe('a=1&b=2');
  });
});

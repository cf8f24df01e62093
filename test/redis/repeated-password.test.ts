import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { openRedisRegistry } from '../support/redis-registry.ts';

const PASSWORD = 'S3cr3t-password';

/** Replies to each command with an error that repeats it. */
async function startEchoingServer(code: string): Promise<number> {
  const port = await freePort();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (request) => {
      const repeated = request.toString().replaceAll('\r\n', ' ');
      // One reply per command of the request.
      for (const _ of repeated.matchAll(/\*\d+ /g)) socket.write(`-${code} bad request: ${repeated}\r\n`);
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(port, '127.0.0.1', resolve);
  onTestFinished(() => void server.close());
  await promise;
  return port;
}

test.each(['ERR', 'NOPERM'])('no message contains the password that an error reply (%s) repeats', async (code) => {
  const port = await startEchoingServer(code);
  const opened = await openRedisRegistry(`redis://user:${PASSWORD}@127.0.0.1:${port}/0`, { prefix: 'p:' });
  onTestFinished(() => opened.registry.close());
  await eventually(
    () => opened.problems.some((problem) => problem?.includes('(password)')),
    () => `${opened.problems}`,
  );
  const failure = await opened.registry.find('a').catch((error: unknown) => error);
  const messages = JSON.stringify([
    opened.problems,
    opened.reasons,
    failure,
    `${failure}`,
    opened.registry.notReadyReason,
  ]);
  expect(messages).toContain('bad request');
  expect(messages).not.toContain(PASSWORD);
});

import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { openRedisRegistry } from '../support/redis-registry.ts';

const PASSWORD = 'S3cr3t-of-ours';

/** Answers each request with an error that repeats it. */
async function startParrot(code: string): Promise<number> {
  const port = await freePort();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (request) => {
      const repeated = request.toString().replaceAll('\r\n', ' ');
      // One answer for each command of the request.
      for (const _ of repeated.matchAll(/\*\d+ /g)) socket.write(`-${code} bad request: ${repeated}\r\n`);
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(port, '127.0.0.1', resolve);
  onTestFinished(() => void server.close());
  await promise;
  return port;
}

test.each(['ERR', 'NOPERM'])('a password that is repeated as part of an error (%s) is in no message', async (code) => {
  const port = await startParrot(code);
  const opened = await openRedisRegistry(`redis://user:${PASSWORD}@127.0.0.1:${port}/0`, { prefix: 'p:' });
  onTestFinished(() => opened.registry.close());
  await eventually(
    () => opened.problems.some((problem) => problem?.includes('(password)')),
    () => `${opened.problems}`,
  );
  const failure = await opened.registry.find('a').catch((error: unknown) => error);
  const said = JSON.stringify([opened.problems, opened.reasons, failure, `${failure}`, opened.registry.notReadyReason]);
  expect(said).toContain('bad request');
  expect(said).not.toContain(PASSWORD);
});

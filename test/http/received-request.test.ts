import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { BodyTooLarge, IncompleteBody, ReceivedRequest } from '../../src/http/received-request.ts';
import { collectGarbage } from '../support/collect-garbage.ts';

/** The request that a server receives from these bytes, and the socket of its sender. */
async function receive(bytes: string): Promise<{ request: ReceivedRequest; sender: Socket }> {
  const server = createServer({ IncomingMessage: ReceivedRequest });
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  const received = new Promise<ReceivedRequest>((resolve) => server.on('request', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // listen() has resolved on a TCP port, so the address is an object.
  const sender = connect((server.address() as AddressInfo).port, '127.0.0.1');
  sender.write(bytes);
  return { request: await received, sender };
}

const head = 'POST / HTTP/1.1\r\nHost: a\r\n';

test('a request has no merged header but for the fields that Node.js and Hono read', async () => {
  const lines = 'Accept: a\r\nX-SSL-Client-Cert: b\r\nX-SSL-Client-Cert: c\r\nContent-Length: 0\r\n';
  const { request } = await receive(`${head}${lines}\r\n`);
  expect(request.headers).toEqual({ host: 'countersign.invalid' });
  expect(request.fields.all('x-ssl-client-cert')).toEqual(['b', 'c']);
});

test('Node.js answers an expectation before the body is sent', async () => {
  const { request, sender } = await receive(`${head}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
  const [interim] = await once(sender, 'data');
  expect(String(interim)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  sender.write('a=1');
  expect((await request.readBody(100)).toString()).toBe('a=1');
});

test.each([
  ['in one piece', `${head}Content-Length: 3\r\n\r\na=1`],
  ['in chunks', `${head}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\n=1\r\n0\r\n\r\n`],
  ['of exactly the limit', `${head}Content-Length: 3\r\n\r\na=1`, 3],
])('a body %s is read', async (_, bytes, limit = 100) => {
  const { request } = await receive(bytes);
  expect((await request.readBody(limit)).toString()).toBe('a=1');
});

test('a request without a body has an empty one', async () => {
  const { request } = await receive(`${head}\r\n`);
  expect(await request.readBody(100)).toHaveLength(0);
});

test('a body that exceeds the limit is rejected before it has ended', async () => {
  const { request } = await receive(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n`);
  await expect(request.readBody(4)).rejects.toThrow(BodyTooLarge);
});

test('a body in chunks of one byte takes no more memory than its bytes need', async () => {
  const size = 60_000;
  const { request, sender } = await receive(`${head}Transfer-Encoding: chunked\r\n\r\n`);
  let received = 0;
  const isReceived = new Promise<void>((resolve) => {
    request.on('data', ({ length }) => {
      received += length;
      if (received === size) resolve();
    });
  });
  const body = request.readBody(size);
  const before = await memory();
  sender.write('1\r\na\r\n'.repeat(size));
  await isReceived;
  expect((await memory()) - before).toBeLessThan(2_000_000);
  sender.write('0\r\n\r\n');
  expect((await body).equals(Buffer.alloc(size, 'a'))).toBe(true);
});

/** In bytes. The memory of buffers is released after the collection. */
async function memory(): Promise<number> {
  for (let round = 0; round < 2; round++) {
    collectGarbage();
    await endOfTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('a body whose sender disconnects is incomplete', async () => {
  const { request, sender } = await receive(`${head}Content-Length: 3\r\n\r\na`);
  const body = request.readBody(100);
  sender.destroy();
  await expect(body).rejects.toThrow(IncompleteBody);
});

test('a body that is read after its sender has disconnected is incomplete', async () => {
  const { request, sender } = await receive(`${head}Content-Length: 3\r\n\r\na`);
  sender.destroy();
  await new Promise((resolve) => request.once('close', resolve));
  await expect(request.readBody(100)).rejects.toMatchObject({ code: 'body_incomplete' });
});

test('a body that is read after it was rejected as malformed has that reason', async () => {
  const { request } = await receive(`${head}Content-Length: 3\r\n\r\na`);
  const closed = new Promise((resolve) => request.once('close', resolve));
  request.destroy(new IncompleteBody({ code: 'request_timeout', reason: 'it took too long' }));
  await closed;
  await expect(request.readBody(100)).rejects.toMatchObject({ code: 'body_timeout', message: 'it took too long' });
});

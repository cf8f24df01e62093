import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ActiveRequests } from '../../src/http/active-requests.ts';
import { describeListenAddress } from '../../src/http/listen-address.ts';
import { openHttpListener } from '../../src/http/listener.ts';
import { eventually } from '../support/eventually.ts';

test('nothing is kept of a connection that is reset while responses wait for an earlier one', async () => {
  let requests = 0;
  const server = createServer(() => {
    requests += 1;
  });
  const active = new ActiveRequests(server);
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // listen() has resolved on a TCP port, so the address is an object.
  const { port } = server.address() as AddressInfo;
  const peer = connect(port, '127.0.0.1');
  peer.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
  await eventually(
    () => requests === 3,
    () => `${requests} requests`,
  );
  const kinds = () => sockets.map((socket) => active.on(socket).kind);
  expect(kinds()).toEqual(['received']);
  peer.resetAndDestroy();
  await eventually(
    () => sockets.every(({ closed }) => closed),
    () => 'the connection is open',
  );
  expect(kinds()).toEqual(['none']);
  await active.drain();
});

test('a connection closes after pipelined responses that were complete before the server began to close', async () => {
  const held = Promise.withResolvers<void>();
  let served = 0;
  const serve = async () => {
    served += 1;
    if (served === 1) await held.promise;
    return new Response('served');
  };
  const listener = await openHttpListener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, serve, () => {});
  const peer = connect(Number(new URL(describeListenAddress(listener.address)).port), '127.0.0.1').setEncoding(
    'latin1',
  );
  const received = text(peer);
  peer.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
  await eventually(
    () => served === 3,
    () => `${served} requests`,
  );
  await setImmediate();
  const start = performance.now();
  const closed = listener.close();
  held.resolve();
  await closed;
  // Connections that remain are aborted after 10 s.
  expect(performance.now() - start).toBeLessThan(9_000);
  expect((await received).match(/served$|served(?=HTTP)/g)).toHaveLength(3);
});

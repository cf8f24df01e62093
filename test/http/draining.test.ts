import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ActiveRequests } from '../../src/http/draining.ts';
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

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { describeListenAddress } from '../../src/http/listen-address.ts';
import { openHttpListener } from '../../src/http/listener.ts';
import { RequestsInFlight } from '../../src/http/requests-in-flight.ts';
import { eventually } from '../support/eventually.ts';
import { unlimited } from '../support/listener-limits.ts';
import { requestBytes } from '../support/raw-http.ts';

/** A listener whose application responds to requests to `/held` when `release` is called, and to others at once. */
async function listen(maxRequestsInFlight: number, maxConnections = Number.POSITIVE_INFINITY) {
  const inFlight = new RequestsInFlight(maxRequestsInFlight);
  const held = Promise.withResolvers<Response>();
  let served = 0;
  let refused = 0;
  const shed: object[] = [];
  const limits = {
    ...unlimited,
    inFlight,
    onShed: (cause: object) => void shed.push(cause),
    maxConnections,
    onConnectionRefused: () => {
      refused += 1;
    },
  };
  const serve = async ({ url }: Request) => {
    const { pathname } = new URL(url);
    served += 1;
    if (pathname === '/long') return new Response(LONG);
    return pathname === '/held' ? (await held.promise).clone() : new Response('served');
  };
  const listener = await openHttpListener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, serve, () => {}, limits);
  const { hostname, port } = new URL(describeListenAddress(listener.address));
  return {
    inFlight,
    shed,
    served: () => served,
    refused: () => refused,
    connect: () => connect(Number(port), hostname).setEncoding('latin1'),
    release: () => held.resolve(new Response('served')),
    close: listener.close,
  };
}

/** A hundred of them exceed what the system buffers for a connection. */
const LONG = 'x'.repeat(256 * 1024);

/** Sends requests on a connection and collects the statuses of the responses. */
function send(socket: Socket, ...requests: ['GET' | 'POST', string][]): () => number[] {
  let received = '';
  socket.on('data', (text: string) => {
    received += text;
  });
  const bytes = requests.map(([method, path]) =>
    requestBytes({ method, path, ...(method === 'POST' && { body: 'a=b' }) }),
  );
  socket.write(Buffer.concat(bytes));
  return () =>
    received
      .split('HTTP/1.1 ')
      .slice(1)
      .map((response) => Number.parseInt(response, 10));
}

const becomes = <Value>(read: () => Value, expected: Value) =>
  eventually(
    () => JSON.stringify(read()) === JSON.stringify(expected),
    () => `${JSON.stringify(read())} instead of ${JSON.stringify(expected)}`,
  );

test('a POST beyond the maximum in flight gets 503 at once, documents are served, and later requests as well', async () => {
  const server = await listen(3);
  const sockets = Array.from({ length: 5 }, () => server.connect());
  const [first, second, third, other, document] = sockets as [Socket, Socket, Socket, Socket, Socket];
  const held = [first, second, third].map((socket) => send(socket, ['POST', '/held']));
  await becomes(() => server.inFlight.count, 3);
  const shed = send(other, ['POST', '/']);
  await becomes(shed, [503]);
  await becomes(send(document, ['GET', '/']), [200]);
  expect(server.shed).toEqual([{ kind: 'requests_in_flight', count: 4 }]);
  await becomes(() => server.inFlight.count, 3);
  server.release();
  for (const statuses of held) await becomes(statuses, [200]);
  await becomes(() => server.inFlight.count, 0);
  await becomes(send(other, ['POST', '/']), [200]);
  for (const socket of sockets) socket.destroy();
  await server.close();
});

test('requests that wait for the responses before them on their connection are neither in flight nor shed', async () => {
  const server = await listen(2);
  const [first, other, third] = [server.connect(), server.connect(), server.connect()];
  const statuses = send(first, ...Array.from({ length: 6 }, (): ['POST', string] => ['POST', '/held']));
  await becomes(() => server.inFlight.count, 1);
  for (let round = 1; round <= 3; round++) await becomes(send(other, ['POST', '/']), [200]);
  const held = send(other, ['POST', '/held']);
  await becomes(() => server.inFlight.count, 2);
  await becomes(send(third, ['POST', '/']), [503]);
  server.release();
  await becomes(held, [200]);
  await becomes(statuses, Array(6).fill(200));
  expect([server.inFlight.count, server.shed.length]).toEqual([0, 1]);
  for (const socket of [first, other, third]) socket.destroy();
  await server.close();
});

test('nothing is read behind pipelined requests that wait for their turn', async () => {
  const server = await listen(3);
  const socket = server.connect().on('error', () => {});
  send(socket, ['POST', '/held']);
  await becomes(() => server.inFlight.count, 1);
  const bytes = Buffer.concat(Array(10_000).fill(requestBytes({ method: 'GET', path: '/' })));
  let isBlocked = false;
  for (let sent = 0; !isBlocked && sent < 64 * 2 ** 20; sent += bytes.length) {
    const drained = socket.write(bytes) ? true : once(socket, 'drain').then(() => true);
    isBlocked = !(await Promise.race([drained, delay(2_000, false)]));
  }
  expect(isBlocked).toBe(true);
  socket.destroy();
  server.release();
  await server.close();
});

test('requests whose body is incomplete are not in flight, and keep no others from being served', async () => {
  const server = await listen(3);
  const held = [server.connect(), server.connect()];
  const heldStatuses = held.map((socket) => send(socket, ['POST', '/held']));
  await becomes(() => server.inFlight.count, 2);
  const slow = [server.connect(), server.connect()];
  const statuses = slow.map((socket) => send(socket, ['GET', '/']));
  for (const each of statuses) await becomes(each, [200]);
  for (const socket of slow) socket.write(INCOMPLETE_HELD);
  const other = server.connect();
  for (let round = 1; round <= 5; round++) await becomes(send(other, ['POST', '/']), [200]);
  expect(server.inFlight.count).toBe(2);
  for (const socket of slow) socket.write('=b');
  await becomes(() => server.inFlight.count, 4);
  await becomes(send(other, ['POST', '/']), [503]);
  server.release();
  for (const each of statuses) await becomes(each, [200, 200]);
  for (const each of heldStatuses) await becomes(each, [200]);
  expect(server.inFlight.count).toBe(0);
  for (const socket of [...held, ...slow, other]) socket.destroy();
  await server.close();
});

test('of more incomplete bodies than requests may be in flight, the one that has been arriving for longest gets 408', async () => {
  const server = await listen(3);
  const slow = Array.from({ length: 4 }, () => server.connect().on('error', () => {}));
  const statuses = slow.map((socket) => send(socket, ['GET', '/']));
  for (const each of statuses) await becomes(each, [200]);
  // Not in the order of the connections.
  for (const index of [2, 0, 3]) {
    slow[index]?.write(INCOMPLETE_HELD);
    await delay(20);
  }
  slow[1]?.write(INCOMPLETE_HELD);
  await becomes(() => statuses.map((each) => each()), [[200], [200], [200, 408], [200]]);
  const other = server.connect();
  // Each request is incomplete for a moment, and displaces another one.
  await becomes(send(other, ['POST', '/']), [200]);
  await becomes(() => statuses.map((each) => each()), [[200, 408], [200], [200, 408], [200]]);
  for (const socket of [...slow, other]) socket.destroy();
  await server.close();
});

/** A POST of which only a part of the body was sent. */
const INCOMPLETE_HELD = 'POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na';

test.each(['at once', 'behind their header'])(
  'peers that send again as soon as they get 503, the body %s, are rejected a few times in each turn',
  async (body) => {
    const server = await listen(1);
    const [first, other] = [server.connect(), server.connect()];
    send(first, ['POST', '/held']);
    await becomes(() => server.inFlight.count, 1);
    const peers = Array.from({ length: 200 }, () => server.connect().on('error', () => {}));
    const bytes = requestBytes({ method: 'POST', path: '/', body: 'a=b' });
    const sendOn = (peer: Socket) => {
      if (body === 'at once') peer.write(bytes);
      else {
        peer.write(bytes.subarray(0, -3));
        setTimeout(() => peer.write(bytes.subarray(-3)), 1);
      }
    };
    for (const peer of peers) {
      peer.on('data', () => sendOn(peer));
      sendOn(peer);
    }
    await eventually(
      () => server.shed.length > 2 * peers.length,
      () => `${server.shed.length} rejected`,
    );
    const before = server.shed.length;
    const turns = 300;
    for (let turn = 0; turn < turns; turn++) await nextTurn();
    expect(server.shed.length - before).toBeLessThan(20 * turns);
    // Nothing is held up: each is rejected again, and served when there is room.
    server.release();
    await becomes(send(other, ['POST', '/']), [200]);
    for (const socket of [first, other, ...peers]) socket.destroy();
    await server.close();
  },
);

test('a connection serves its next request although the last one ended when no other peer sent anything', async () => {
  const server = await listen(1);
  const first = server.connect();
  send(first, ['POST', '/held']);
  await becomes(() => server.inFlight.count, 1);
  // The rejections of one turn.
  const peers = Array.from({ length: 40 }, () => server.connect());
  const statuses = peers.map((peer) => send(peer));
  const bytes = requestBytes({ method: 'POST', path: '/', body: 'a=b' });
  for (const peer of peers) peer.write(bytes.subarray(0, -3));
  for (const each of statuses) await becomes(each, [503]);
  server.release();
  await becomes(() => server.inFlight.count, 0);
  for (const peer of peers) peer.write(bytes.subarray(-3));
  await delay(200);
  // A request on a connection that is not held would give the others their turn.
  for (const [index, peer] of [...peers.entries()].reverse()) {
    peer.write(bytes);
    await becomes(statuses[index] ?? (() => []), [503, 200]);
  }
  for (const socket of [first, ...peers]) socket.destroy();
  await server.close();
});

test('a connection is read again whose request was sent in advance, and whose body arrived while all took turns', async () => {
  const server = await listen(3);
  // Two requests of another listener.
  server.inFlight.count = 2;
  const [first, other] = [server.connect(), server.connect()];
  const bytes = requestBytes({ method: 'POST', path: '/', body: 'a=b' });
  const statuses = send(first, ['POST', '/held']);
  first.write(bytes.subarray(0, -3));
  await becomes(() => server.inFlight.count, 3);
  await becomes(send(other, ['POST', '/']), [503]);
  server.inFlight.count += 1;
  server.release();
  await becomes(statuses, [200]);
  first.write(bytes.subarray(-3));
  // It arrives before the turn of its request, which is after half a second, or when there is room.
  await delay(100);
  server.inFlight.count -= 1;
  // With 503, if this process was suspended meanwhile.
  await becomes(() => statuses().length, 2);
  first.write(bytes);
  await becomes(() => statuses().length, 3);
  expect(statuses()[2]).toBe(200);
  await becomes(() => server.inFlight.count, 2);
  for (const socket of [first, other]) socket.destroy();
  await server.close();
});

test('responses that a peer does not read keep no other request from being served', async () => {
  const server = await listen(3);
  const [unread, other] = [server.connect(), server.connect()];
  unread.pause();
  unread.write(Buffer.concat(Array(100).fill(requestBytes({ method: 'GET', path: '/long' }))));
  await becomes(() => server.served() >= 1, true);
  await becomes(send(other, ['POST', '/']), [200]);
  expect([server.inFlight.count, server.shed]).toEqual([0, []]);
  let received = 0;
  unread.on('data', (text: string) => {
    received += text.length;
  });
  unread.resume();
  await becomes(() => received > 100 * LONG.length, true);
  for (const socket of [unread, other]) socket.destroy();
  await server.close();
});

test('requests of a connection that is reset while they are pipelined are no longer in flight', async () => {
  const server = await listen(3);
  const socket = server.connect().on('error', () => {});
  send(socket, ['POST', '/held'], ['POST', '/held'], ['POST', '/held']);
  await becomes(() => server.inFlight.count, 1);
  socket.resetAndDestroy();
  // Nothing is read from it, so this is noticed when the response is sent.
  server.release();
  await becomes(() => server.inFlight.count, 0);
  const other = server.connect();
  await becomes(send(other, ['POST', '/']), [200]);
  await becomes(() => server.inFlight.count, 0);
  other.destroy();
  await server.close();
});

test('a connection beyond the maximum is closed at once, and one that takes the place of another is served', async () => {
  const server = await listen(10, 2);
  const [first, second] = [server.connect(), server.connect()];
  await Promise.all([first, second].map((socket) => once(socket, 'connect')));
  await becomes(send(first, ['GET', '/']), [200]);
  const third = server.connect().on('error', () => {});
  third.resume();
  await once(third, 'close');
  await becomes(server.refused, 1);
  await becomes(send(second, ['GET', '/']), [200]);
  first.destroy();
  // The server notices the end of a connection only after a while.
  await eventually(
    async () => {
      const next = server.connect().on('error', () => {});
      const statuses = send(next, ['GET', '/']);
      await Promise.race([once(next, 'data'), once(next, 'close')]);
      next.destroy();
      return statuses()[0] === 200;
    },
    () => 'no connection is served',
  );
  second.destroy();
  await server.close();
});

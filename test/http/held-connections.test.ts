import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HeldConnections } from '../../src/http/held-connections.ts';
import { describeListenAddress } from '../../src/http/listen-address.ts';
import { type HttpListener, openHttpListener } from '../../src/http/listener.ts';
import { ReceivedRequest } from '../../src/http/received-request.ts';
import { eventually } from '../support/eventually.ts';
import { unlimited } from '../support/listener-limits.ts';
import { requestBytes } from '../support/raw-http.ts';

/** A turn of the event loop serves 32 of them. */
const BUSY_MILLISECONDS = 2;
const DOCUMENTS = 400;
const PEERS = 300;
/** Rejected in a turn at most: more than for two started, since some have waited for long. */
const REJECTED_PER_TURN = 64;

const WAITING = 4_096;

let listener: HttpListener;
let served: number;
let shed: number;
let sockets: Socket[];
let isBusy: boolean;

/** Documents block the event loop once all connections are open. */
const application = ({ method }: Request) => {
  for (const start = performance.now(); isBusy && method === 'GET' && performance.now() - start < BUSY_MILLISECONDS; );
  served += 1;
  return new Response('served');
};

beforeEach(async () => {
  [served, shed, sockets, isBusy] = [0, 0, [], false];
  listener = await openHttpListener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, application, () => {}, {
    ...unlimited,
    maxQueueDelay: 50,
    onShed: () => {
      shed += 1;
    },
  });
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await listener.close();
});

interface Peer {
  readonly socket: Socket;
  /** The status of each response. */
  readonly statuses: string[];
}

async function openPeers(count: number): Promise<readonly Peer[]> {
  const { hostname, port } = new URL(describeListenAddress(listener.address));
  const peers = Array.from({ length: count }, (): Peer => {
    const socket = connect(Number(port), hostname).setEncoding('latin1');
    const statuses: string[] = [];
    socket.on('error', () => {});
    socket.on('data', (text: string) =>
      statuses.push(...Array.from(text.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status = '']) => status)),
    );
    return { socket, statuses };
  });
  sockets.push(...peers.map(({ socket }) => socket));
  for (const { socket } of peers) socket.write(document);
  await eventually(
    () => peers.every(({ statuses }) => statuses.length === 1),
    () => 'connections are not accepted',
    30_000,
  );
  for (const { statuses } of peers) statuses.splice(0);
  return peers;
}

const document = requestBytes({ method: 'GET', path: '/' });
const post = Buffer.from(requestBytes({ method: 'POST', path: '/', body: 'a=b' }));
const BODY_BYTES = 3;

/** Resolves while the oldest request in the queue has waited for too long, and most of them are still to be served. */
async function overload(documents: readonly Peer[]): Promise<void> {
  [served, isBusy] = [0, true];
  for (const { socket } of documents) socket.write(document);
  await eventually(
    () => served >= 64,
    () => 'the server does not respond',
  );
}

test.each([
  { arrives: 'with its head', first: post.length },
  { arrives: 'after the rejection', first: post.length - BODY_BYTES },
])(
  'peers whose body arrives $arrives and that try again at once are rejected only so many times',
  async ({ first }) => {
    const documents = await openPeers(DOCUMENTS);
    const peers = await openPeers(PEERS);
    await overload(documents);
    for (const { socket } of peers) {
      socket.write(post.subarray(0, first));
      socket.on('data', () => {
        if (served < DOCUMENTS) socket.write(Buffer.concat([post.subarray(first), post.subarray(0, first)]));
      });
    }
    await eventually(
      () => served >= DOCUMENTS,
      () => `${served} requests are served`,
      30_000,
    );
    const turns = Math.ceil(DOCUMENTS / 32);
    expect(shed).toBeGreaterThan(PEERS);
    expect(shed).toBeLessThan(PEERS + turns * REJECTED_PER_TURN);
  },
);

test('a connection is held in the turn in which its request ends, before anything else is read', async () => {
  const socket = new Socket();
  const request = new ReceivedRequest(socket);
  const held = new HeldConnections(() => {});
  held.hold(request);
  const turn = nextTurn();
  // As Node's parser does at the end of a request.
  request.complete = true;
  request.push(null);
  request.resume();
  await turn;
  expect([socket.isPaused(), held.areWaiting]).toEqual([true, true]);
  held.next(1);
  expect([socket.isPaused(), held.areWaiting]).toEqual([false, false]);
});

test('connections have their turn when there is room, and after a while an eighth of them in each turn', async () => {
  let schedules = 0;
  let ended = 0;
  let now = 0;
  const schedule = () => {
    schedules += 1;
  };
  const held = new HeldConnections(schedule, () => now);
  expect(held.next(10)).toBe(false);
  for (let count = 0; count < WAITING; count += 1) {
    held.wait(() => {
      ended += 1;
    });
  }
  expect(schedules).toBe(WAITING);
  expect([held.next(0), held.next(0), ended]).toEqual([false, false, 0]);
  expect([held.next(10), ended]).toEqual([true, 10]);
  now += 499;
  expect([held.next(0), ended]).toEqual([false, 10]);
  // Without room, it looks again after a while, but not in each turn.
  expect(schedules).toBe(WAITING);
  await delay(100);
  expect(schedules).toBe(WAITING + 1);
  now += 2;
  // However many wait: the connections of peers that have gone would otherwise accumulate.
  expect([held.next(0), ended]).toEqual([true, 10 + Math.ceil((WAITING - 10) / 8)]);
  let turns = 1;
  while (held.next(0)) turns += 1;
  expect(ended).toBe(WAITING);
  expect(turns).toBeLessThan(30);
});

test('a listener that closes responds to the requests on connections from which nothing was read', async () => {
  const documents = await openPeers(DOCUMENTS);
  const peers = await openPeers(PEERS);
  await overload(documents);
  const sentAgain = peers.map(async ({ socket }) => {
    socket.write(post);
    await once(socket, 'data');
    await new Promise((resolve) => socket.write(post, resolve));
  });
  await Promise.all(sentAgain);
  await listener.close();
  await Promise.all(peers.map(async ({ socket }) => socket.closed || once(socket, 'close')));
  expect(peers.filter(({ statuses }) => statuses.length !== 2)).toHaveLength(0);
});

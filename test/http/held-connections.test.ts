import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeListenAddress } from '../../src/http/listen-address.ts';
import { type HttpListener, openHttpListener } from '../../src/http/listener.ts';
import { eventually } from '../support/eventually.ts';
import { unlimited } from '../support/listener-limits.ts';
import { requestBytes } from '../support/raw-http.ts';

/** A turn of the event loop serves 32 of them. */
const BUSY_MILLISECONDS = 2;
const DOCUMENTS = 400;
const PEERS = 300;
/** Rejected in a turn at most: more than for two started, since some have waited for long. */
const REJECTED_PER_TURN = 64;

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

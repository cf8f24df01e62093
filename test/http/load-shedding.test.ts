import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeListenAddress } from '../../src/http/listen-address.ts';
import { type HttpListener, openHttpListener } from '../../src/http/listener.ts';
import { eventually } from '../support/eventually.ts';
import { unlimited } from '../support/listener-limits.ts';
import { requestBytes } from '../support/raw-http.ts';

const MAX_QUEUE_DELAY = 100;
const shed: number[] = [];
const served: string[] = [];
let listener: HttpListener;
let url: string;

/** The application blocks the event loop for as many milliseconds as the last segment of the path states. */
const application = (request: Request) => {
  const { pathname } = new URL(request.url);
  const milliseconds = Number(pathname.split('/').at(-1));
  for (const start = performance.now(); performance.now() - start < milliseconds; );
  served.push(pathname);
  return new Response('served');
};

beforeAll(async () => {
  listener = await openHttpListener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, application, () => {}, {
    ...unlimited,
    maxQueueDelay: MAX_QUEUE_DELAY,
    onShed: (cause) => shed.push(cause.kind === 'queue_delay' ? cause.milliseconds : cause.count),
  });
  url = describeListenAddress(listener.address);
});
afterAll(() => listener.close());
beforeEach(() => {
  shed.splice(0);
  served.splice(0);
});

type Sent = readonly [method: 'GET' | 'POST', path: string];

/** Sends requests on a new connection, without waiting for the responses in between. */
async function send(...requests: Sent[]) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setEncoding('latin1');
  await once(socket, 'connect');
  let received = '';
  socket.on('data', (text: string) => {
    received += text;
  });
  const sendMore = (...more: Sent[]) => {
    const bytes = more.map(([method, path]) =>
      requestBytes({ method, path, ...(method === 'POST' && { body: 'a=b' }) }),
    );
    socket.write(Buffer.concat(bytes));
  };
  sendMore(...requests);
  return { sendMore, responses: () => received.split('HTTP/1.1 ').slice(1), close: () => void socket.end() };
}

/** The first response on a new connection. */
async function respond(...request: Sent): Promise<string> {
  const { responses, close } = await send(request);
  await eventually(
    () => responses().length > 0,
    () => 'no response',
  );
  close();
  return responses()[0] ?? '';
}

const statusOf = (response: string) => Number.parseInt(response, 10);

/** Fills the queue for a second, and resolves when the oldest request in it has waited for too long. */
async function overload(): Promise<{ untilServed: () => Promise<void> }> {
  // One request at a time of each connection is in the queue.
  const connections = await Promise.all(Array.from({ length: 500 }, () => send(['GET', '/0'])));
  await eventually(
    () => connections.every(({ responses }) => responses().length === 1),
    () => 'connections are not accepted',
    30_000,
  );
  served.splice(0);
  for (const { sendMore } of connections) sendMore(['GET', '/2']);
  // Three turns of 64 ms.
  await eventually(
    () => served.length >= 96,
    () => 'the server does not respond',
  );
  const responses = () => connections.flatMap(({ responses: each }) => each());
  const untilServed = async () => {
    await eventually(
      () => responses().length === 2 * connections.length,
      () => `${responses().length} responses`,
      30_000,
    );
    expect(new Set(responses().map(statusOf))).toEqual(new Set([200]));
    for (const { close } of connections) close();
  };
  return { untilServed };
}

test('a POST is shed at once while the oldest request of a long queue has waited too long, and others are served', async () => {
  const { untilServed } = await overload();
  const [response, document] = await Promise.all([respond('POST', '/0'), respond('GET', '/0')]);
  expect([statusOf(response), statusOf(document)]).toEqual([503, 200]);
  expect(shed).toEqual([expect.any(Number)]);
  expect(shed[0]).toBeGreaterThan(MAX_QUEUE_DELAY);
  const [head = '', body = ''] = response.split('\r\n\r\n');
  expect(JSON.parse(body)).toEqual({ error: 'temporarily_unavailable', error_description: expect.any(String) });
  const lines = ['content-type: application/json', 'cache-control: no-store', 'pragma: no-cache', 'retry-after: 1'];
  for (const line of lines) expect(head.toLowerCase().split('\r\n')).toContain(line);
  await untilServed();
});

test('connections that arrive during an overload are accepted before the queue is served', async () => {
  const { untilServed } = await overload();
  const responses = await Promise.all(Array.from({ length: 10 }, () => respond('POST', '/0')));
  expect(responses.map(statusOf)).toEqual(Array.from({ length: 10 }, () => 503));
  await untilServed();
});

test('a connection on which a request was shed serves the next one after the overload', async () => {
  const { untilServed } = await overload();
  const { responses, close } = await send(['POST', '/0'], ['GET', '/0'], ['POST', '/0']);
  await untilServed();
  await eventually(
    () => responses().length === 3,
    () => `${responses().length} responses`,
  );
  // The last one had its turn after the document, which had to wait.
  expect(responses().map(statusOf)).toEqual([503, 200, 200]);
  close();
  expect(statusOf(await respond('POST', '/0'))).toBe(200);
});

test('requests are served in the order in which they were read', async () => {
  const paths = Array.from({ length: 200 }, (_, index) => `/${index}/0`);
  const { responses, close } = await send(...paths.map((path): Sent => ['POST', path]));
  await eventually(
    () => responses().length === paths.length,
    () => `${responses().length} responses`,
  );
  expect(served).toEqual(paths);
  close();
});

test('a short queue is served, however long it waited', async () => {
  const connections = await Promise.all(Array.from({ length: 100 }, () => send(['POST', '/10'])));
  await eventually(
    () => served.length >= 32,
    () => 'the server does not respond',
  );
  expect(statusOf(await respond('POST', '/0'))).toBe(200);
  await eventually(
    () => connections.every(({ responses }) => responses().length === 1),
    () => 'not all are served',
  );
  expect(shed).toEqual([]);
  for (const { close } of connections) close();
});

test('requests that arrived while the process was suspended are served', async () => {
  const requests = 200;
  const { responses, close } = await send(
    ['POST', '/300'],
    ...Array.from({ length: requests }, (): Sent => ['POST', '/0']),
  );
  await eventually(
    () => responses().length > requests,
    () => `${responses().length} responses`,
  );
  expect(shed).toEqual([]);
  close();
});

test('a request is served that arrives after the event loop was blocked, or idle', async () => {
  expect(statusOf(await respond('POST', '/300'))).toBe(200);
  await delay(1.5 * MAX_QUEUE_DELAY);
  expect(statusOf(await respond('POST', '/0'))).toBe(200);
});

test('thousands of pipelined requests are all served, and a request on another connection does not wait for them', async () => {
  const requests = 3_000;
  const { responses, close } = await send(...Array.from({ length: requests }, (): Sent => ['POST', '/1']));
  await eventually(
    () => responses().length > 0,
    () => 'the server does not respond',
  );
  expect(statusOf(await respond('POST', '/0'))).toBe(200);
  expect(responses().length).toBeLessThan(requests / 2);
  await eventually(
    () => responses().length === requests,
    () => `${responses().length} responses`,
    30_000,
  );
  expect([new Set(responses().map(statusOf)), shed]).toEqual([new Set([200]), []]);
  close();
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay, setImmediate as endOfTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeListenAddress } from '../../src/http/listen-address.ts';
import { type HttpListener, openHttpListener } from '../../src/http/listener.ts';
import { requestBytes } from '../support/raw-http.ts';

const MAX_QUEUE_DELAY = 200;
const shed: number[] = [];
let listener: HttpListener;
let url: string;

/** What happens during the next request. */
let whileServing = () => {};

/** The application blocks the event loop for as many milliseconds as the path states. */
const application = (request: Request) => {
  whileServing();
  whileServing = () => {};
  block(Number(new URL(request.url).pathname.slice(1)));
  return new Response('served');
};

function block(milliseconds: number): void {
  for (const start = performance.now(); performance.now() - start < milliseconds; );
}

beforeAll(async () => {
  listener = await openHttpListener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, application, () => {}, {
    maxQueueDelay: MAX_QUEUE_DELAY,
    onShed: (delay) => shed.push(delay),
  });
  url = describeListenAddress(listener.address);
});
afterAll(() => listener.close());

interface Connection {
  /** Sends a request, and behind it as many for documents. Resolves to the response to the first one. */
  readonly send: (method: 'GET' | 'POST', path: string, behind?: number) => Promise<string>;
  readonly close: () => void;
}

/** A connection that the server has already accepted: it reads all of them in one turn. */
async function open(): Promise<Connection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setEncoding('latin1');
  const send: Connection['send'] = async (method, path, behind = 0) => {
    const document = requestBytes({ method: 'GET', path: '/0' });
    const request = requestBytes({ method, path, ...(method === 'POST' && { body: 'a=b' }) });
    socket.write(Buffer.concat([request, ...Array.from({ length: behind }, () => document)]));
    const [response] = await once(socket, 'data');
    return String(response);
  };
  await send('GET', '/0');
  return { send, close: () => void socket.end() };
}

/** Sends these requests at once, each on its own connection. */
async function sendTogether(...requests: Parameters<Connection['send']>[]): Promise<string[]> {
  const connections = await Promise.all(requests.map(open));
  await endOfTurn();
  const responses = await Promise.all(requests.map((request, index) => connections[index]?.send(...request) ?? ''));
  for (const { close } of connections) close();
  return responses;
}

/** More than the queue that is served whatever its delay is. */
const LONG_QUEUE = 100;

const statusOf = (response: string) => Number(response.split(' ')[1]);

test('requests that waited longer than the maximum are shed, and the documents among them are served', async () => {
  shed.splice(0);
  const responses = await sendTogether(['POST', '/300', LONG_QUEUE], ['POST', '/0'], ['POST', '/0'], ['GET', '/0']);
  expect(responses.map(statusOf)).toEqual([200, 503, 503, 200]);
  expect(shed).toHaveLength(2);
  expect(Math.min(...shed)).toBeGreaterThan(MAX_QUEUE_DELAY);
  const [head = '', body = ''] = responses[1]?.split('\r\n\r\n') ?? [];
  expect(JSON.parse(body)).toEqual({ error: 'temporarily_unavailable', error_description: expect.any(String) });
  for (const line of [
    'content-type: application/json',
    'cache-control: no-store',
    'pragma: no-cache',
    'retry-after: 1',
  ])
    expect(head.toLowerCase().split('\r\n')).toContain(line);
});

test('a connection on which a request is shed serves the next one', async () => {
  for (let round = 0; round < 2; round++) {
    const [first, second] = [await open(), await open()];
    const [, response] = await Promise.all([first.send('POST', '/300', LONG_QUEUE), second.send('POST', '/0')]);
    expect(statusOf(response)).toBe(503);
    await endOfTurn();
    expect(statusOf(await second.send('POST', '/0'))).toBe(200);
    for (const { close } of [first, second]) close();
  }
});

test('a short queue is served, however long it waited', async () => {
  const responses = await sendTogether(['POST', '/300', LONG_QUEUE - 10], ['POST', '/0'], ['POST', '/0']);
  expect(responses.map(statusOf)).toEqual([200, 200, 200]);
});

test.each([
  ['is served', '/0', [200, 200]],
  ['is shed once serving it takes too long', `/${MAX_QUEUE_DELAY / 2}`, [200, 503]],
] as const)('a long queue that waited during a pause %s', async (_, path, expected) => {
  const [paused, first, second] = [await open(), await open(), await open()];
  let responses: Promise<string>[] = [];
  whileServing = () => {
    responses = [first.send('POST', path, LONG_QUEUE), second.send('POST', '/0')];
  };
  await paused.send('POST', '/300');
  expect((await Promise.all(responses)).map(statusOf)).toEqual(expected);
  for (const { close } of [paused, first, second]) close();
});

test('a request is served that arrives after the event loop was blocked by something else, or idle', async () => {
  const { send, close } = await open();
  block(300);
  expect(statusOf(await send('POST', '/0'))).toBe(200);
  await delay(1.5 * MAX_QUEUE_DELAY);
  expect(statusOf(await send('POST', '/0'))).toBe(200);
  close();
});

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runClosedLoop } from './closed-loop.ts';
import { type OpenLoop, runOpenLoop } from './open-loop.ts';
import { tokenRequest } from './token-request.ts';
import { repeatIfUnavailable } from './unavailable.ts';

const TOKEN = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.${'x'.repeat(86)}`;
const nextRequest = () => tokenRequest('device');

/** Starts a server, and returns how to connect to it. */
async function listen(respond: RequestListener) {
  const server = createServer(respond);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // Safe: it listens on a TCP port.
  const { port } = server.address() as AddressInfo;
  return () => connect(port, '127.0.0.1');
}

const withToken: RequestListener = (_, response) => response.end(JSON.stringify({ access_token: TOKEN }));

describe('a closed loop', () => {
  test('sends each request once, and returns the latency of each', async () => {
    let received = 0;
    const connections = new Set();
    const server = await listen((request, response) => {
      received += 1;
      connections.add(request.socket);
      withToken(request, response);
    });
    const { latencies } = await runClosedLoop({ connect: server, connections: 4, requests: 50, nextRequest });
    expect([received, connections.size, latencies.length]).toEqual([50, 4, 50]);
    expect(Math.min(...latencies)).toBeGreaterThan(0);
  });

  test('opens a new connection for each request if required', async () => {
    const connections = new Set();
    const server = await listen((request, response) => {
      connections.add(request.socket);
      withToken(request, response);
    });
    await runClosedLoop({ connect: server, connections: 2, requests: 10, nextRequest, requestsPerConnection: 1 });
    expect(connections.size).toBe(10);
  });

  test('accepts a chunked response', async () => {
    const server = await listen((_, response) => {
      response.write('{"access_token":');
      response.end(`"${TOKEN}"}`);
    });
    await runClosedLoop({ connect: server, connections: 1, requests: 2, nextRequest });
  });

  test('is repeated if the server sheds load', async () => {
    let received = 0;
    const server = await listen((request, response) => {
      received += 1;
      if (received === 2) response.writeHead(503).end('later');
      else withToken(request, response);
    });
    const load = { connect: server, connections: 1, requests: 3, nextRequest };
    const { latencies } = await repeatIfUnavailable(() => runClosedLoop(load));
    expect([latencies.length, received]).toEqual([3, 5]);
  });

  test.each<[string, RequestListener, RegExp]>([
    ['an error', (_, response) => response.writeHead(503).end('later'), /expected 200 .* 503/],
    ['200 without a token', (_, response) => response.end('{}'), /expected a JWT/],
    ['200 with an opaque token', (_, response) => response.end('{"access_token":"abc"}'), /expected a JWT/],
    ['nothing', (request) => request.socket.destroy(), /closed the connection/],
  ])('rejects %s', async (_, respond, message) => {
    const server = await listen(respond);
    const load = { connect: server, connections: 2, requests: 10, nextRequest };
    await expect(runClosedLoop(load)).rejects.toThrow(message);
  });
});

/** The share of the requests of a random process that a short run has at least. */
const COMPLETE = 0.7;

describe('an open loop', () => {
  /** Runs the load again if the machine kept the load generator from sending in time, or at all. */
  async function onSchedule(load: Omit<OpenLoop, 'onOutcome'>) {
    for (let attempt = 1; ; attempt += 1) {
      const outcomes: { status: number; milliseconds: number }[] = [];
      const onOutcome: OpenLoop['onOutcome'] = ({ status }, { total }) =>
        outcomes.push({ status, milliseconds: total });
      const { delays, unsent, requestsPerSecond } = await runOpenLoop({ ...load, onOutcome });
      // What it has not come to before the end has no delay.
      const isComplete = requestsPerSecond > load.requestsPerSecond * COMPLETE;
      if ((isComplete && Math.max(...delays) < 50) || attempt === 10) return { outcomes, unsent };
    }
  }

  /** @returns status and latency of every request */
  async function run(respond: RequestListener, maxConnections: number) {
    const { outcomes } = await onSchedule({
      connect: await listen(respond),
      requestsPerSecond: 200,
      seconds: 0.3,
      nextRequest,
      maxConnections,
    });
    return outcomes;
  }

  test('counts the latency of a request from its scheduled time', async () => {
    // One connection that answers 100 requests a second: each request waits for those before it.
    const outcomes = await run(async (request, response) => {
      await delay(10);
      withToken(request, response);
    }, 1);
    expect(outcomes.length).toBeGreaterThan(30);
    expect(Math.max(...outcomes.map(({ milliseconds }) => milliseconds))).toBeGreaterThan(100);
  });

  test('keeps reading responses when it is late itself, and counts its own delay apart from the latency of the server', async () => {
    const totals: number[] = [];
    const servers: number[] = [];
    const stall = setInterval(() => {
      for (const start = performance.now(); performance.now() - start < 40; );
    }, 50);
    const { delays, requestsPerSecond } = await runOpenLoop({
      connect: await listen(withToken),
      // More than one event loop, which is that of the server as well, can send and answer.
      requestsPerSecond: 50_000,
      seconds: 1,
      nextRequest,
      maxConnections: 10,
      onOutcome: (_, { total, server }) => {
        totals.push(total);
        servers.push(server);
      },
    }).finally(() => clearInterval(stall));
    expect(totals.length).toBeGreaterThan(20);
    expect(requestsPerSecond).toBeLessThan(50_000);
    expect(Math.max(...delays)).toBeGreaterThan(100);
    expect(Math.max(...servers)).toBeLessThan(Math.max(...totals));
  });

  test('counts requests that it discards apart, as they were not sent', async () => {
    const { outcomes, unsent } = await onSchedule({
      connect: await listen(async (request, response) => {
        await delay(100);
        withToken(request, response);
      }),
      requestsPerSecond: 200,
      seconds: 0.5,
      nextRequest,
      maxConnections: 1,
      discardsWaiting: true,
    });
    expect(unsent).toBeGreaterThan(50);
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set([200]));
    expect(outcomes.length).toBeLessThan(10);
  });

  test('reports a request that the server leaves without a response', async () => {
    const outcomes = await run((request) => request.socket.destroy(), 10);
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set([0]));
  });
});

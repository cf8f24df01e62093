import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ReceivedRequest } from '../../src/http/received-request.ts';
import type { Exchange } from '../../src/http/request-queue.ts';
import { SentResponse } from '../../src/http/sent-response.ts';
import { ShedRequests } from '../../src/http/shed-requests.ts';

const STARTABLE = 32;
const WAITING = 4_096;

function exchange(): Exchange {
  const request = new ReceivedRequest(new Socket());
  return [request, new SentResponse(request)];
}

/** As if the event loop turned until none waits any more. @returns how many were rejected in each turn */
function rejectedByTurn(shed: ShedRequests<string>, rejected: () => number): readonly number[] {
  const turns: number[] = [];
  for (let isWaiting = true; isWaiting; ) {
    const before = rejected();
    isWaiting = shed.next(STARTABLE, 0);
    turns.push(rejected() - before);
  }
  return turns;
}

test('one of them has its turn for each two requests that are started, and soon after half a second each', async () => {
  let rejected = 0;
  const shed = new ShedRequests<string>(() => {
    rejected += 1;
  });
  const [request, response] = exchange();
  const isLast = false;
  const addAll = () => {
    for (let count = 0; count < WAITING; count += 1) shed.add('overload', [request, response], isLast);
  };
  addAll();
  // Those that need not wait.
  expect(rejected).toBe(STARTABLE / 2);
  expect(shed.next(STARTABLE, 0)).toBe(true);
  expect(rejected).toBe(STARTABLE);
  await delay(600);
  // However many wait: the connections of peers that have gone would otherwise accumulate.
  const turns = rejectedByTurn(shed, () => rejected);
  expect(rejected).toBe(WAITING);
  expect(turns[0]).toBeGreaterThan(WAITING / 10);
  expect(turns[0]).toBeLessThan(WAITING / 5);
  expect(turns.length).toBeLessThan(30);
});

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { measureEventLoopLag } from '../../src/observability/event-loop-lag.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { eventually } from '../support/eventually.ts';

function block(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

test('the lag of the event loop is measured while it is busy, and not while it is idle', async () => {
  const takeLag = measureEventLoopLag();
  expect(takeLag().max).toBe(0);
  const isMeasured = async () => {
    block(50);
    await delay(10);
    return takeLag().p50 > 0;
  };
  await eventually(isMeasured, () => 'nothing is measured', 10_000);
  block(400);
  await delay(150);
  const { max, p99 } = takeLag();
  expect(Math.min(max, p99)).toBeGreaterThan(0.3);
  const isIdle = async () => {
    await delay(1_500);
    return takeLag().max === 0;
  };
  await eventually(isIdle, () => 'an idle event loop is measured', 30_000);
});

test('the metrics of the process have the lag of the event loop once', async () => {
  const metrics = createMetrics();
  metrics.addProcessMetrics();
  const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith('nodejs_eventloop_lag_'));
  expect(lines.map((line) => line.split(' ')[0])).toEqual([
    'nodejs_eventloop_lag_seconds',
    'nodejs_eventloop_lag_min_seconds',
    'nodejs_eventloop_lag_max_seconds',
    'nodejs_eventloop_lag_mean_seconds',
    'nodejs_eventloop_lag_stddev_seconds',
    'nodejs_eventloop_lag_p50_seconds',
    'nodejs_eventloop_lag_p90_seconds',
    'nodejs_eventloop_lag_p99_seconds',
  ]);
});

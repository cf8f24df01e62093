import { describe, expect, test } from 'vitest';
import { createRecentDecisions } from '../../src/observability/recent-decisions.ts';

describe('recent decisions', () => {
  const start = () => {
    const clock = { now: 1_000 };
    return { clock, decisions: createRecentDecisions(() => clock.now) };
  };
  const events = (decisions: ReturnType<typeof createRecentDecisions>) =>
    decisions.read().map(({ entry }) => entry.event);

  test('are the latest 100, the newest first', () => {
    const { decisions } = start();
    for (let i = 0; i < 250; i += 1) decisions.add({ event: `rejected_${i}` }, false);
    expect(events(decisions)).toEqual(Array.from({ length: 100 }, (_, i) => `rejected_${249 - i}`));
  });

  test('include granted requests only while they are watched', () => {
    const { clock, decisions } = start();
    decisions.add({ event: 'before' }, true);
    decisions.watch(500);
    decisions.add({ event: 'granted' }, true);
    clock.now += 501;
    decisions.add({ event: 'after' }, true);
    decisions.add({ event: 'rejected' }, false);
    expect(events(decisions)).toEqual(['rejected', 'granted']);
  });

  test('are copies: the entry may change afterwards', () => {
    const { decisions } = start();
    const entry = { event: 'rejected', client_id: 'a' };
    decisions.add(entry, false);
    entry.client_id = 'b';
    expect(decisions.read()[0]).toEqual({
      time: 1_000,
      isGranted: false,
      entry: { event: 'rejected', client_id: 'a' },
    });
  });
});

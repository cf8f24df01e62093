import { expect, test } from 'vitest';
import { createMetrics } from '../../src/observability/metrics.ts';

const samplesIn = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('a gauge without labels has no sample while its value is unknown', async () => {
  const metrics = createMetrics();
  let value: number | undefined;
  const read = () => (value === undefined ? [] : [{ labels: {}, value }]);
  metrics.addGauge({ name: 'expiry', help: 'An expiry', labels: [], read });
  expect(samplesIn(await metrics.render())).toEqual([]);
  value = 7;
  expect(samplesIn(await metrics.render())).toEqual(['countersign_expiry 7']);
  value = undefined;
  expect(samplesIn(await metrics.render())).toEqual([]);
});

test('the buckets of a histogram are cumulative, and each includes its bound', async () => {
  const metrics = createMetrics();
  const child = metrics.histogram({ name: 'seconds', help: 'Seconds', labels: ['a'], buckets: [0.5, 1] })({
    a: '"\\\n',
  });
  for (const value of [0.5, 0.75, 1, 2, 3]) child.observe(value);
  expect(await metrics.render()).toContain(
    [
      '# HELP countersign_seconds Seconds',
      '# TYPE countersign_seconds histogram',
      'countersign_seconds_bucket{a="\\"\\\\\\n",le="0.5"} 1',
      'countersign_seconds_bucket{a="\\"\\\\\\n",le="1"} 3',
      'countersign_seconds_bucket{a="\\"\\\\\\n",le="+Inf"} 5',
      'countersign_seconds_sum{a="\\"\\\\\\n"} 7.25',
      'countersign_seconds_count{a="\\"\\\\\\n"} 5',
      '',
    ].join('\n'),
  );
});

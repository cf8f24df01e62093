import { describe, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { probeEdgeDeployment, startProbedEdge } from '../support/edge-doctor.ts';
import { edgeProxies } from '../support/edge-proxies.ts';

describe.each(['nginx', 'envoy'] as const)('countersign doctor --edge with %s', (name) => {
  describeWith([edgeProxies[name].program], 'as shipped', () => {
    test('concludes secure', async () => {
      const { code, report } = await probeEdgeDeployment(await startProbedEdge(name));
      expect([report.problems, report.notes]).toEqual([[], []]);
      expect([code, report.conclusion]).toEqual([0, 'secure']);
    });
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { describeEdgeDecisions } from '../support/edge-decisions.ts';
import { type EdgeDeployment, startEdgeDeployment } from '../support/edge-deployment.ts';
import { describeEdgeHeaders } from '../support/edge-headers.ts';
import { describeEdgeInterleaving } from '../support/edge-interleaving.ts';
import { describeEdgeRequests } from '../support/edge-requests.ts';
import { eventually } from '../support/eventually.ts';

describeEdgeDecisions('traefik');
describeEdgeHeaders('traefik');
describeEdgeRequests('traefik');
describeEdgeInterleaving('traefik');

describeWith(['traefik'], 'without a response of the edge, Traefik', () => {
  let deployment: EdgeDeployment;
  beforeAll(async () => {
    deployment = await startEdgeDeployment({ proxy: 'traefik' });
  });
  afterAll(() => deployment?.stop());

  test('denies requests with 500 while the server is down, and recovers', async () => {
    const { countersign, environment, certificateOf, exchange } = deployment;
    const statusAndCount = async () => {
      const { response, received } = await exchange({ path: '/orders/' }, certificateOf('alpha'));
      return [response.status, received.length];
    };
    expect(await statusAndCount()).toEqual([200, 1]);
    await countersign.stop();
    expect(await statusAndCount()).toEqual([500, 0]);
    expect(await statusAndCount()).toEqual([500, 0]);
    const restarted = await startCountersign({ env: environment });
    const isAllowed = async () => (await statusAndCount())[0] === 200;
    await eventually(isAllowed, () => 'requests are still denied').finally(() => restarted.stop());
  });
});

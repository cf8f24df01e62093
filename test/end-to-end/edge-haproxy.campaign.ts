import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { describeEdgeDecisions } from '../support/edge-decisions.ts';
import { startEdgeDeployment } from '../support/edge-deployment.ts';
import { describeEdgeHeaders } from '../support/edge-headers.ts';
import { describeEdgeInterleaving } from '../support/edge-interleaving.ts';
import { describeEdgeOutages } from '../support/edge-outages.ts';
import { describeEdgeRequests } from '../support/edge-requests.ts';

describeEdgeDecisions('haproxy');
describeEdgeHeaders('haproxy');
describeEdgeRequests('haproxy');
describeEdgeOutages('haproxy');
describeEdgeInterleaving('haproxy');

describeWith(['haproxy'], 'after an error in its Lua action, HAProxy', () => {
  const allowed = 'txn:set_var("txn.countersign", "allowed")';

  async function exchangeWith(replace: readonly (readonly [string, string])[]) {
    const deployment = await startEdgeDeployment({ proxy: 'haproxy', replace });
    const { response, received } = await deployment
      .exchange({ path: '/orders/' }, deployment.certificateOf('alpha'))
      .finally(() => deployment.stop());
    return [response.status, received.length];
  }

  test('denies the request by the rule after the action', async () => {
    expect(await exchangeWith([[allowed, 'error("broken")']])).toEqual([503, 0]);
  });

  test('would allow it without this rule', async () => {
    const rule = 'http-request return status 503 hdr Retry-After 1 unless';
    expect(
      await exchangeWith([
        [allowed, 'error("broken")'],
        [rule, `#${rule}`],
      ]),
    ).toEqual([200, 1]);
  });
});

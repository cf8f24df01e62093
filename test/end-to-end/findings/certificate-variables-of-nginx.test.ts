import { afterAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../../support/certificates.ts';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { describeWith } from '../../support/describe-with.ts';

const client = selfSigned({ subject: [['CN', 'client']] });

/** Folded lines and bare line feeds: both are invalid in HTTP (RFC 9112 §5.2), and Node rejects them. */
describeWith(['nginx', 'redis-server'], 'finding 9: nginx variables that are invalid as header values', () => {
  describe.each(['$ssl_client_cert', '$ssl_client_raw_cert'])('%s', (variable) => {
    let deployment: Deployment | undefined;
    afterAll(() => deployment?.stop());

    test('makes the server reject every request as malformed and log it', async () => {
      deployment = await startDeployment({ replace: [['$ssl_client_escaped_cert', variable]] });
      const { send, watch, countersign } = deployment;
      const { response, events } = await watch(() => send({ body: { client_id: 'client' } }, { identity: client }));
      expect([response.status, events]).toEqual([400, []]);
      await countersign.waitForEvent(({ event, cause }) => event === 'request_malformed' && /^HPE_/.test(`${cause}`));
    });
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { type EdgeDeployment, forwardedToken, startEdgeDeployment } from '../support/edge-deployment.ts';

const reports = 'https://reports.example';

/** The most characters of a token, as docs/keys.md states them. */
const tokenSizes = { 'ML-DSA-44': 3_900, 'ML-DSA-65': 5_100 } as const;

/** What nginx has without a setting: less than the shipped configuration. */
const defaultBuffers = [
  ['proxy_buffer_size 24k;', 'proxy_buffer_size 4k;'],
  ['proxy_buffers 4 24k;', 'proxy_buffers 8 4k;'],
  ['proxy_busy_buffers_size 48k;', 'proxy_busy_buffers_size 8k;'],
] as const;

async function deploymentFor(algorithm: keyof typeof tokenSizes, replace: (typeof defaultBuffers)[number][] = []) {
  const type = algorithm === 'ML-DSA-44' ? 'ml-dsa-44' : 'ml-dsa-65';
  const { privateKey } = generateKeyPairSync(type as 'ml-dsa-44');
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return startEdgeDeployment({ proxy: 'nginx', env: { COUNTERSIGN_SIGNING_KEY: key }, replace });
}

for (const algorithm of ['ML-DSA-44', 'ML-DSA-65'] as const) {
  describeWith(['nginx'], `tokens signed with ${algorithm} behind the shipped nginx configuration`, () => {
    let deployment: EdgeDeployment;
    beforeAll(async () => {
      deployment = await deploymentFor(algorithm);
    });
    afterAll(() => deployment.stop());

    test('are minted, reach the API whole, and verify', async () => {
      const { response, received } = await deployment.exchange({ path: '/orders/' }, deployment.certificateOf('alpha'));
      expect(response.status).toBe(200);
      const token = received[0] && forwardedToken(received[0]);
      await expect(deployment.verify(token ?? '', 'https://orders.example')).resolves.toMatchObject({ sub: 'alpha' });
      process.stdout.write(`a token signed with ${algorithm} has ${token?.length} characters\n`);
      expect(token?.length).toBeLessThan(tokenSizes[algorithm]);
      expect(token?.length).toBeGreaterThan(tokenSizes[algorithm] - 500);
    });

    test('are issued, presented and verified', async () => {
      const token = await deployment.requestToken('alpha', reports);
      const lines = [`Authorization: Bearer ${token}`];
      const alpha = deployment.certificateOf('alpha');
      const { response, received } = await deployment.exchange({ path: '/reports/', lines }, alpha);
      expect(response.status).toBe(200);
      expect(received[0] && forwardedToken(received[0])).toBe(token);
      const other = deployment.certificateOf('beta');
      expect((await deployment.send({ path: '/reports/', lines }, other)).status).toBe(401);
    });

    test('are announced as experimental at the start of the server', () => {
      const warnings = deployment.countersign.lines.filter(({ event }) => event === 'setting_warning');
      expect(warnings.map(({ message }) => String(message)).join('\n')).toContain(`${algorithm} is experimental`);
    });
  });
}

describeWith(['nginx'], 'a token signed with ML-DSA-65', () => {
  test('is denied, and not cut off, if the buffers of nginx are too small for it', async () => {
    const deployment = await deploymentFor('ML-DSA-65', [...defaultBuffers]);
    const { response, received } = await deployment.exchange({ path: '/orders/' }, deployment.certificateOf('alpha'));
    await deployment.stop();
    expect(response.status).toBeGreaterThanOrEqual(500);
    expect(received).toEqual([]);
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Deployment, mtlsHost, plainHost, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';

describeWith(['nginx', 'redis-server'], 'nginx responds with JSON to', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment();
  });
  afterAll(() => deployment?.stop());

  test.each([mtlsHost, plainHost])('a body of 1 MB at %s', async (host) => {
    const response = await deployment.send({ body: 'x'.repeat(1024 * 1024) }, { host });
    expect([response.status, response.json().error]).toEqual([413, 'invalid_request']);
  });

  test('an expired certificate, exactly as the server itself does', async () => {
    const identity = deployment.ca.issue({ notAfter: new Date(Date.now() - 60_000) });
    const byNginx = await deployment.watch(() =>
      deployment.send({ body: { grant_type: 'client_credentials', client_id: 'expired' } }, { identity }),
    );
    const byServer = await deployment.requestToken('expired');
    expect(byNginx.events).toEqual([]);
    expect([byNginx.response.status, byNginx.response.body]).toEqual([400, byServer.response.body]);
    expect(byNginx.response.headers.get('cache-control')).toBe('no-store');
  });

  test('a request for an internal location, with 404', async () => {
    const response = await deployment.send({ method: 'GET', path: '/countersign-error/certificate' });
    expect(response.status).toBe(404);
  });

  test('a request while the server is unavailable, with 503 and Retry-After', async () => {
    await deployment.countersign.stop();
    for (const host of [mtlsHost, plainHost]) {
      const response = await deployment.send({ method: 'GET', path: '/jwks' }, { host });
      expect([response.status, response.json().error]).toEqual([503, 'temporarily_unavailable']);
      expect(response.headers.get('retry-after')).toBe('2');
    }
  });
});

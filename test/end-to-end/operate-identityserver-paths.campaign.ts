import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { type Deployment, formOf, mtlsHost, plainHost, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { forwardable } from '../support/forged-headers.ts';
import { filesWithIdentityServerPaths, uncommentIdentityServerPaths } from '../support/identityserver-paths.ts';
import { type TerminatorName, terminators } from '../support/terminators.ts';

const form = 'Content-Type: application/x-www-form-urlencoded';
const tokenPaths = ['/connect/token', '/connect/mtls/token'];
// Safe: the table is closed, so its keys are the names.
const names = Object.keys(terminators) as TerminatorName[];

describe.each(names)('the paths of IdentityServer, in the shipped configuration of %s', (terminator) => {
  describeWith(
    [terminators[terminator].program, 'redis-server'],
    `the paths of IdentityServer behind ${terminator}`,
    () => {
      let deployment: Deployment;
      let own: MintedCertificate;

      beforeAll(async () => {
        const replace = uncommentIdentityServerPaths(filesWithIdentityServerPaths[terminator]);
        deployment = await startDeployment({ terminator, replace, mtlsPath: '/connect/mtls' });
        own = deployment.ca.issue({ dns: ['billing.example'] });
        await deployment.register({
          client_id: 'billing',
          token_endpoint_auth_method: 'tls_client_auth',
          tls_client_auth_san_dns: 'billing.example',
          scope: 'api1',
          audience: 'https://api.example',
        });
      });
      afterAll(() => deployment?.stop());

      const post = (path: string, body: string, identity: MintedCertificate | undefined, lines: string[] = []) =>
        deployment.send({ path, lines: [form, ...lines], body }, { identity });
      const requestToken = async (path = '/connect/token') => {
        const response = await post(path, formOf('billing'), own);
        expect(response.status).toBe(200);
        return String(response.json().access_token);
      };

      test('lead .NET from the metadata to a token, by the aliases', async () => {
        const { fetchAs, issuer, port } = deployment;
        const metadata = Object(await (await fetchAs(own)(`${issuer}/.well-known/openid-configuration`)).json());
        const { token_endpoint: tokens, ...aliases } = metadata.mtls_endpoint_aliases;
        expect(tokens).toBe(`https://${mtlsHost}:${port}/connect/mtls/token`);
        const body = new URLSearchParams({ token: await requestToken(new URL(tokens).pathname), client_id: 'billing' });
        for (const alias of Object.values(aliases)) {
          const response = await post(new URL(String(alias)).pathname, body.toString(), own);
          expect([alias, response.status]).toEqual([alias, 200]);
        }
        const keys = await fetchAs()(`https://${plainHost}:${port}/.well-known/openid-configuration/jwks`);
        expect(await keys.json()).toEqual(await (await fetchAs()(metadata.jwks_uri)).json());
      });

      test.each(tokenPaths)('lead %s to a token', async (path) => {
        expect((await requestToken(path)).split('.')).toHaveLength(3);
      });

      test.each(['/connect/introspect', '/connect/mtls/introspect'])('lead %s to introspection', async (path) => {
        const body = `client_id=billing&token=${await requestToken()}`;
        expect((await post(path, body, own)).json()).toMatchObject({ active: true, client_id: 'billing' });
      });

      test.each(['/connect/revocation', '/connect/mtls/revocation'])('lead %s to revocation', async (path) => {
        const body = `client_id=billing&token=${await requestToken()}`;
        expect((await post(path, body, own)).status).toBe(200);
        expect((await post('/connect/introspect', body, own)).json()).toEqual({ active: false });
      });

      test.each(tokenPaths)('let no forged header reach %s', async (path) => {
        for (const [title, linesOf] of forwardable) {
          for (const identity of [undefined, selfSigned()]) {
            const response = await post(path, formOf('billing'), identity, linesOf(own)).catch(() => undefined);
            expect([title, response?.status]).not.toEqual([title, 200]);
          }
        }
      });

      test.each(tokenPaths)('reject a handshake for another host at %s', async (path) => {
        const request = { path, lines: [form], body: formOf('billing') };
        const response = await deployment.send(request, { identity: own, host: mtlsHost, sni: plainHost });
        expect(response.status).toBe(421);
      });

      test.skipIf(terminator === 'apache')('lead an expired certificate to its rejection', async () => {
        const expired = deployment.ca.issue({ dns: ['billing.example'], notAfter: new Date(Date.now() - 1_000) });
        const { response, event } = await deployment.decide(() => post('/connect/token', formOf('billing'), expired));
        expect([response.status, event.code]).toEqual([400, 'certificate_expired']);
      });

      test.each(['/connect/tokens', '/connect/token/', '/CONNECT/TOKEN/x', '/connect/authorize', '/connect/mtls'])(
        'do not include %s',
        async (path) => {
          expect((await post(path, formOf('billing'), own)).status).toBe(404);
        },
      );
    },
  );
});

describeWith(['nginx', 'redis-server'], 'the paths of IdentityServer', () => {
  test('lead nowhere unless the lines are uncommented', async () => {
    const deployment = await startDeployment();
    const identity = selfSigned();
    const { status } = await deployment.send(
      { path: '/connect/token', lines: [form], body: formOf('a') },
      { identity },
    );
    await deployment.stop();
    expect(status).toBe(404);
  });
});

import { once } from 'node:events';
import { Agent, request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ReceivedRequest, receivedValues } from './demo-upstream.ts';
import { describeWith } from './describe-with.ts';
import {
  claimsOf,
  type EdgeDeployment,
  forwardedThumbprint,
  forwardedToken,
  startEdgeDeployment,
} from './edge-deployment.ts';
import { apiHost, type EdgeProxy, type EdgeProxyName, edgeProxies } from './edge-proxies.ts';

const REQUESTS = 10_000;
const CONCURRENT = 2_000;
const clients = ['alpha', 'beta'] as const;
type Client = (typeof clients)[number];
const resources = ['orders', 'reports', 'stock'] as const;

/** What belongs to one client never reaches the API with a request of another. */
export function describeEdgeInterleaving(name: EdgeProxyName): void {
  const { program, endlessConnection = [], patience }: EdgeProxy = edgeProxies[name];

  describeWith([program], `interleaved requests of two clients through ${name}`, () => {
    let deployment: EdgeDeployment;
    const tokens = new Map<string, string>();
    beforeAll(async () => {
      deployment = await startEdgeDeployment({ proxy: name, replace: [...endlessConnection, ...patience] });
      for (const client of clients) {
        tokens.set(client, await deployment.requestToken(client, 'https://reports.example'));
      }
    });
    afterAll(() => deployment?.stop());

    const agentOf = (client: Client, maxSockets: number) =>
      new Agent({ keepAlive: true, maxSockets, ...deployment.tlsOf(deployment.certificateOf(client)) });

    /** The request as the API received it. */
    async function send(client: Client, agent: Agent, number: number): Promise<ReceivedRequest> {
      const resource = resources[number % resources.length] ?? 'orders';
      const authorization = resource === 'reports' ? { authorization: `Bearer ${tokens.get(client)}` } : {};
      const address = { host: '127.0.0.1', port: deployment.port, path: `/${resource}/${number}`, agent };
      const outgoing = requestHttps({ ...address, headers: { host: apiHost, ...authorization } });
      outgoing.end();
      const [response] = await once(outgoing, 'response');
      const body = await text(response);
      if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${body}`);
      return JSON.parse(body);
    }

    /** Token, headers and certificate name this client; undefined if they do. */
    function disagreement(client: Client, request: ReceivedRequest): unknown {
      const { thumbprint } = deployment.certificateOf(client);
      const { client_id, cnf } = claimsOf(forwardedToken(request) ?? '');
      const seen = [
        ...receivedValues(request, 'X-Countersign-Client-Id'),
        ...receivedValues(request, 'X-Countersign-Subject'),
        client_id,
        forwardedThumbprint(name, request),
        cnf,
      ];
      const expected = [client, client, client, thumbprint, { 'x5t#S256': thumbprint }];
      return JSON.stringify(seen) === JSON.stringify(expected) ? undefined : { client, seen };
    }

    test(`agree ${REQUESTS} times over one connection to the API`, async () => {
      const agents = { alpha: agentOf('alpha', 1), beta: agentOf('beta', 1) };
      const disagreements: unknown[] = [];
      const connections = new Set<number>();
      for (let number = 0; number < REQUESTS; number += 1) {
        const client = clients[number % 2] ?? 'alpha';
        const request = await send(client, agents[client], number);
        connections.add(request.connection);
        disagreements.push(...[disagreement(client, request)].filter(Boolean));
      }
      expect(disagreements).toEqual([]);
      expect(connections.size).toBe(1);
      for (const agent of Object.values(agents)) agent.destroy();
    }, 300_000);

    test(`agree ${CONCURRENT} times over concurrent connections`, async () => {
      const agents = { alpha: agentOf('alpha', 8), beta: agentOf('beta', 8) };
      const requests = Array.from({ length: CONCURRENT }, async (_, number) => {
        const client = clients[number % 2] ?? 'alpha';
        return disagreement(client, await send(client, agents[client], number));
      });
      expect((await Promise.all(requests)).filter(Boolean)).toEqual([]);
      for (const agent of Object.values(agents)) agent.destroy();
    }, 300_000);
  });
}

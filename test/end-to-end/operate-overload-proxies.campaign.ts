import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Deployment, mtlsHost, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { requestBytes } from '../support/raw-http.ts';

/** Two connections of nginx for each, which by default has 512 in all. */
const PEERS = 110;
/** In each of these, as many peers leave during their request, and others come. */
const ROUNDS = 5;
const LEAVING = 50;

interface Peer {
  readonly socket: TLSSocket;
  /** Responses by their status. */
  readonly statuses: number[];
  sent: number;
}

describeWith(['nginx', 'envoy'], 'connections of a proxy that take turns because of overload', () => {
  describe.each([
    // The connections that nginx keeps: `keepalive` in nginx/countersign.conf.
    { terminator: 'nginx', kept: 32 },
    { terminator: 'envoy', kept: PEERS },
  ] as const)('$terminator', ({ terminator, kept }) => {
    let deployment: Deployment;
    let isStopped: boolean;

    beforeAll(async () => {
      deployment = await startDeployment({ terminator, env: { COUNTERSIGN_MAX_REQUESTS_IN_FLIGHT: '20' } });
      await deployment.register({
        client_id: 'a',
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_san_dns: 'a.example',
      });
      isStopped = false;
    });
    afterAll(() => deployment?.stop());

    async function openPeers(count: number): Promise<readonly Peer[]> {
      const { pem: cert, privateKeyPem: key } = deployment.ca.issue({ dns: ['a.example'] });
      const tls = { ca: deployment.serverCa, cert, key, servername: mtlsHost, ALPNProtocols: ['http/1.1'] };
      return Promise.all(
        Array.from({ length: count }, async () => {
          const socket = connect({ ...tls, host: '127.0.0.1', port: deployment.port });
          socket.on('error', () => {});
          await once(socket, 'secureConnect');
          return keepRequesting(socket);
        }),
      );
    }

    function keepRequesting(socket: TLSSocket): Peer {
      const peer: Peer = { socket, statuses: [], sent: 1 };
      const bytes = requestBytes({
        lines: [`Host: ${mtlsHost}`],
        body: { grant_type: 'client_credentials', client_id: 'a' },
      });
      socket.setEncoding('latin1').on('data', (text: string) => {
        const [, status] = /HTTP\/1\.1 (\d+)/.exec(text) ?? [];
        if (status === undefined) return;
        peer.statuses.push(Number(status));
        if (isStopped) return;
        peer.sent += 1;
        socket.write(bytes);
      });
      socket.write(bytes);
      return peer;
    }

    test('no request is executed twice, each token is audited once, and no connection of a peer that left stays open', async () => {
      const peers = [...(await openPeers(PEERS))];
      const gone: Peer[] = [];
      const count = (status: number) =>
        [...peers, ...gone].flatMap(({ statuses }) => statuses).filter((each) => each === status).length;
      const untilIssued = (tokens: number) =>
        eventually(
          () => count(200) >= tokens,
          () => `${count(200)} of ${tokens} tokens`,
          60_000,
        );
      for (let round = 1; round <= ROUNDS; round += 1) {
        await untilIssued(2 * PEERS * round);
        const leaving = peers.splice(0, LEAVING);
        for (const { socket } of leaving) socket.destroy();
        gone.push(...leaving);
        peers.push(...(await openPeers(LEAVING)));
      }
      await untilIssued(2 * PEERS * (ROUNDS + 1));
      isStopped = true;
      await eventually(
        () => peers.every(({ sent, statuses }) => sent === statuses.length),
        () => 'a request is not answered',
        30_000,
      );
      const { lines, fetchOperations } = deployment.countersign;
      const audited = (name: string) => lines.filter(({ event }) => event === name).length;
      const unanswered = gone.filter(({ sent, statuses }) => sent > statuses.length).length;
      const statuses = new Set([...peers, ...gone].flatMap(({ statuses: each }) => each));
      expect([...statuses].toSorted()).toEqual([200, 503]);
      // The requests of those that left may have been executed as well.
      const executed = () => audited('token_issued') + audited('request_shed');
      const answered = count(200) + count(503);
      await eventually(
        () => executed() >= answered,
        () => `${executed()} audit events, ${answered} responses`,
      );
      expect(executed()).toBeLessThanOrEqual(answered + unanswered);
      expect(audited('token_issued')).toBeGreaterThanOrEqual(count(200));
      for (const { socket } of peers) socket.destroy();
      let open = Number.NaN;
      await eventually(
        async () => {
          const { body } = await fetchOperations('/metrics');
          open = Number(/^countersign_connections\{listener="public"\} (\d+)$/m.exec(body)?.[1]);
          return open <= kept;
        },
        () => `${open} connections are open`,
        10_000,
      );
    });
  });
});

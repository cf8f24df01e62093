import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Deployment, mtlsHost, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { requestBytes } from '../support/raw-http.ts';

/** Two connections of nginx for each, which by default has 512 in all. */
const PEERS = 110;
const TOKENS_EACH = 6;
/** In each of these, so many peers leave during their request, and others come. */
const ROUNDS = 5;
const LEAVING = 50;

const bytes = requestBytes({
  lines: [`Host: ${mtlsHost}`],
  body: { grant_type: 'client_credentials', client_id: 'a' },
});

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
      const peer: Peer = { socket, statuses: [], sent: 0 };
      socket.setEncoding('latin1').on('data', (text: string) => {
        const [, status] = /HTTP\/1\.1 (\d+)/.exec(text) ?? [];
        if (status === undefined) return;
        peer.statuses.push(Number(status));
        if (!isStopped) request(peer);
      });
      request(peer);
      return peer;
    }

    function request(peer: Peer): void {
      peer.sent += 1;
      peer.socket.write(bytes);
    }

    const count = (peers: readonly Peer[], status: number) =>
      peers.flatMap(({ statuses }) => statuses).filter((each) => each === status).length;
    const untilIssued = (peers: readonly Peer[], tokens: number) =>
      eventually(
        () => count(peers, 200) >= tokens,
        () => `${count(peers, 200)} of ${tokens} tokens`,
        60_000,
      );
    const unanswered = (peers: readonly Peer[]) => peers.filter(({ sent, statuses }) => sent > statuses.length).length;

    async function stop(peers: readonly Peer[]): Promise<void> {
      isStopped = true;
      await eventually(
        () => unanswered(peers) === 0,
        () => `${unanswered(peers)} requests are not answered`,
        30_000,
      );
      expect(peers.flatMap(({ statuses }) => statuses).filter((status) => ![200, 503].includes(status))).toEqual([]);
    }

    const audited = (name: string) => deployment.countersign.lines.filter(({ event }) => event === name).length;

    /** The requests of peers that left may have been executed as well. */
    async function expectAudited(peers: readonly Peer[], left: readonly Peer[] = []): Promise<void> {
      const all = [...peers, ...left];
      const [issued, shed] = [count(all, 200), count(all, 503)];
      await eventually(
        () => audited('token_issued') >= issued && audited('request_shed') >= shed,
        () => `${audited('token_issued')} of ${issued} tokens and ${audited('request_shed')} of ${shed} rejections`,
      );
      const executed = audited('token_issued') + audited('request_shed');
      expect(executed).toBeLessThanOrEqual(issued + shed + unanswered(left));
    }

    test('peers take turns, no request is executed twice, and no connection of a peer that left stays open', async () => {
      const peers = [...(await openPeers(PEERS))];
      await untilIssued(peers, TOKENS_EACH * PEERS);
      await stop(peers);
      await expectAudited(peers);
      // Nearly all are rejected once, in the first moment. Without turns, more requests are rejected than served.
      expect(count(peers, 503)).toBeGreaterThan(0);
      expect(count(peers, 503)).toBeLessThan(count(peers, 200));

      isStopped = false;
      for (const peer of peers) request(peer);
      const left: Peer[] = [];
      for (let round = 1; round <= ROUNDS; round += 1) {
        await untilIssued([...peers, ...left], (TOKENS_EACH + round) * PEERS);
        const leaving = peers.splice(0, LEAVING);
        for (const { socket } of leaving) socket.destroy();
        left.push(...leaving);
        peers.push(...(await openPeers(LEAVING)));
      }
      await stop(peers);
      await expectAudited(peers, left);
      for (const { socket } of peers) socket.destroy();
      let open = Number.NaN;
      await eventually(
        async () => {
          const { body } = await deployment.countersign.fetchOperations('/metrics');
          open = Number(/^countersign_connections\{listener="public"\} (\d+)$/m.exec(body)?.[1]);
          return open <= kept;
        },
        () => `${open} connections are open`,
        10_000,
      );
    });
  });
});

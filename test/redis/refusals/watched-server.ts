import { expect } from 'vitest';
import { startAuthorizationServer } from '../../support/authorization-server.ts';
import { selfSigned } from '../../support/certificates.ts';
import type { LogLine } from '../../support/countersign.ts';
import { formOf } from '../../support/deployment.ts';
import { eventually } from '../../support/eventually.ts';
import { sendRequest } from '../../support/raw-http.ts';

/** The real `countersign serve`, which must outlive whatever Redis replies. */
export interface WatchedServer {
  /** Fails if the process has exited. */
  readonly expectAlive: () => void;
  /** The status of `/readyz`. */
  readonly readiness: () => Promise<number>;
  /** Waits until the server is ready, and Redis announces changes to it. */
  readonly untilRecovered: () => Promise<void>;
  /** Sends a token request for a client that does not exist, and returns the status. */
  readonly requestToken: () => Promise<number>;
  /** Distinct reasons that the log contains since the last call. */
  readonly newReasons: () => readonly string[];
  /** What the process has written that is not a log line. */
  readonly stderr: () => string;
  /** Waits for a log line that states this reason. */
  readonly untilLogged: (reason: RegExp) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const identity = selfSigned();
const lines = [
  'Content-Type: application/x-www-form-urlencoded',
  `X-SSL-Client-Cert: ${encodeURIComponent(identity.pem)}`,
];

export async function startWatchedServer(redisUrl: string, env: Readonly<Record<string, string>> = {}) {
  const server = await startAuthorizationServer({ redisUrl, env });
  const { countersign } = server;
  let exitCode: number | undefined;
  void countersign.exited.then((code) => {
    exitCode = code;
  });
  const expectAlive = () => expect(exitCode, `the server has exited:\n${countersign.stderr()}`).toBe(undefined);
  const readiness = async () => (await countersign.fetchOperations('/readyz')).status;
  const isTracking = async () => /mode="tracking"} 1/.test((await countersign.fetchOperations('/metrics')).body);
  let seen = 0;
  const watched: WatchedServer = {
    expectAlive,
    readiness,
    untilRecovered: () =>
      eventually(
        async () => {
          expectAlive();
          return (await readiness()) === 200 && (await isTracking());
        },
        () => `the server does not recover:\n${reasonsIn(countersign.lines.slice(-10)).join('\n')}`,
      ),
    requestToken: async () => (await sendRequest(server.url, { lines, body: formOf('unknown') })).status,
    newReasons: () => {
      const reasons = reasonsIn(countersign.lines.slice(seen));
      seen = countersign.lines.length;
      return reasons;
    },
    stderr: () => countersign.stderr(),
    untilLogged: async (expected) =>
      void (await countersign.waitForEvent(({ event, reason }) => isOfRedis(event) && expected.test(String(reason)))),
    stop: () => server.stop(),
  };
  return watched;
}

const eventsOfRedis: readonly unknown[] = ['redis_unreachable', 'invalidation_mode_changed', 'revocation_feed_failed'];
const isOfRedis = (event: unknown) => eventsOfRedis.includes(event);

function reasonsIn(lines: readonly LogLine[]): string[] {
  const ofRedis = lines.filter(({ event, reason }) => isOfRedis(event) && reason !== undefined);
  return [...new Set(ofRedis.map(({ reason }) => String(reason)))];
}

import { type CommandProxy, type ReplyRule, startCommandProxy } from '../../support/command-proxy.ts';
import { freePort } from '../../support/free-port.ts';
import { programPath } from '../../support/program-path.ts';
import { startAnnouncedCluster } from '../../support/proxied-cluster.ts';
import { startRedis } from '../../support/redis-server.ts';
import { allocateSentinel, startSentinel } from '../../support/sentinel-process.ts';
import { stopAll } from '../../support/start-all.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

export type Topology = 'server' | 'sentinel' | 'cluster';

/** A real deployment of Redis whose replies a rule can replace, on every connection. */
export interface RefusingRedis {
  /** Database 1, except in a cluster. */
  readonly url: string;
  /** `words` are in upper case. */
  readonly setRule: (rule: ReplyRule) => void;
  /** The commands that the rule replied to, so far. */
  readonly refused: () => readonly string[];
  readonly resetAll: () => void;
  readonly sendToAll: (reply: string) => void;
  readonly stop: () => Promise<void>;
}

export function startRefusingRedis(topology: Topology): Promise<RefusingRedis> {
  switch (topology) {
    case 'server':
      return startServer();
    case 'sentinel':
      return startMonitoredServer();
    case 'cluster':
      return startCluster();
  }
}

const startPlainRedis = () => startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });

async function startServer(): Promise<RefusingRedis> {
  const redis = await startPlainRedis();
  const proxy = await startCommandProxy(redis.port);
  return refusing(`redis://127.0.0.1:${proxy.port}/1`, [proxy], [redis]);
}

const MASTER = 'main';

/** The sentinel names the proxy as the master. */
async function startMonitoredServer(): Promise<RefusingRedis> {
  const redis = await startPlainRedis();
  const directory = temporaryDirectory();
  const place = await allocateSentinel();
  const monitored = { directory, masterName: MASTER, master: redis.port, replicas: [], sentinels: [place] };
  const sentinel = await startSentinel(place, monitored);
  const proxy = await startCommandProxy(redis.port);
  const ofSentinel = await startCommandProxy(place.port);
  const nameProxy: ReplyRule = ([, subcommand]) =>
    subcommand === 'GET-MASTER-ADDR-BY-NAME'
      ? `*2\r\n$9\r\n127.0.0.1\r\n$${String(proxy.port).length}\r\n${proxy.port}\r\n`
      : undefined;
  const url = `redis+sentinel://127.0.0.1:${ofSentinel.port}/${MASTER}/1`;
  return refusing(url, [proxy, ofSentinel], [sentinel, redis], nameProxy);
}

async function startCluster(): Promise<RefusingRedis> {
  const port = await freePort();
  const proxy = await startCommandProxy(port);
  const redis = await startAnnouncedCluster(port, proxy.port);
  return refusing(`redis+cluster://127.0.0.1:${proxy.port}`, [proxy], [redis]);
}

function refusing(
  url: string,
  proxies: readonly CommandProxy[],
  servers: readonly { readonly stop: () => Promise<unknown> }[],
  otherwise: ReplyRule = () => undefined,
): RefusingRedis {
  const setRule = (rule: ReplyRule) => {
    const refusals: string[] = [];
    for (const proxy of proxies) {
      proxy.setRule((words) => {
        const upper = words.map((word) => word.toUpperCase());
        const reply = rule(upper);
        if (reply !== undefined) refusals.push(words.join(' '));
        return reply ?? otherwise(upper);
      });
    }
    refused = () => refusals;
  };
  let refused: RefusingRedis['refused'] = () => [];
  setRule(() => undefined);
  return {
    url,
    setRule,
    refused: () => refused(),
    resetAll: () => {
      for (const { resetAll } of proxies) resetAll();
    },
    sendToAll: (reply) => {
      for (const { sendToAll } of proxies) sendToAll(reply);
    },
    stop: () => stopAll([...proxies, ...servers]),
  };
}

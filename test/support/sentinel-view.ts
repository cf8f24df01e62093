import { type RedisCredentials, sendRedisCommand } from './send-redis-command.ts';

/** What a sentinel reports about the master that it monitors. */
export interface SentinelView {
  /** The port of the master. */
  readonly port: number;
  /** Of two views, the one with the greater epoch is current. */
  readonly epoch: number;
  readonly replicasInSync: number;
  /** Whether enough sentinels are reachable for a failover. */
  readonly hasQuorum: boolean;
}

/** Undefined if it does not respond. */
export async function sentinelView(
  port: number,
  masterName: string,
  credentials: RedisCredentials,
): Promise<SentinelView | undefined> {
  const ask = (command: string) => sendRedisCommand(port, ['SENTINEL', command, masterName], credentials);
  try {
    const [master, replicas] = [fieldsOf(await ask('MASTER')), await ask('REPLICAS')];
    const hasQuorum = await ask('CKQUORUM').then(
      () => true,
      () => false,
    );
    const replicasInSync = Array.isArray(replicas) ? replicas.map(fieldsOf).filter(isInSync).length : 0;
    return { port: Number(master.get('port')), epoch: Number(master.get('config-epoch')), replicasInSync, hasQuorum };
  } catch {
    return undefined;
  }
}

function isInSync(replica: ReadonlyMap<string, string>): boolean {
  return replica.get('flags') === 'slave' && replica.get('master-link-status') === 'ok';
}

/** Parses alternating names and values. */
function fieldsOf(reply: unknown): Map<string, string> {
  const texts = Array.isArray(reply) ? reply.map(String) : [];
  return new Map(texts.flatMap((name, index) => (index % 2 === 0 ? [[name, texts[index + 1] ?? '']] : [])));
}

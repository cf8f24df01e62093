import { type RedisCredentials, sendRedisCommand } from './send-redis-command.ts';

/** What a Sentinel says of the master that it watches. */
export interface SentinelView {
  /** Where clients are sent. */
  readonly port: number;
  /** Of two views the one with the greater epoch counts. */
  readonly epoch: number;
  readonly replicasInSync: number;
  /** It could do a failover: enough of the others answer it. */
  readonly hasQuorum: boolean;
}

/** Undefined where it does not answer. */
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

/** Name, value, name, value. */
function fieldsOf(reply: unknown): Map<string, string> {
  const texts = Array.isArray(reply) ? reply.map(String) : [];
  return new Map(texts.flatMap((name, index) => (index % 2 === 0 ? [[name, texts[index + 1] ?? '']] : [])));
}

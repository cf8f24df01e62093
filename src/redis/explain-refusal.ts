import { documentationUrl } from '../documentation.ts';
import type { RedisAddress } from './url.ts';

/** Of the command that a server refused, as ioredis attaches it to the error. */
export interface RefusedCommand {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Whose ACL is meant. */
export type AclOwner = 'the user in COUNTERSIGN_REDIS_URL' | "the sentinels' user";

/**
 * Explains an error reply that names its cause: what is wrong, and what to change in the server or in the URL.
 *
 * @returns undefined if the reply needs no explanation, or none is known
 */
export function explainRefusal(message: string, kind: RedisAddress['kind']): string | undefined {
  if (kind !== 'cluster' && CLUSTER_NODE.test(message)) {
    return 'the server is a Redis Cluster node: use redis+cluster:// in COUNTERSIGN_REDIS_URL';
  }
  if (kind === 'cluster' && /^READONLY/.test(message)) return 'the cluster node is a replica';
  return refusals.find(([pattern]) => pattern.test(message))?.[1];
}

const CLUSTER_NODE = /^(?:MOVED|ASK|CROSSSLOT)\b|SELECT is not allowed in cluster mode/;

const refusals: readonly (readonly [RegExp, string])[] = [
  [/DB index is out of range/, 'the server has no database of this number: check the one in COUNTERSIGN_REDIS_URL'],
  [/^LOADING/, 'the server is still loading its data'],
  [/^MASTERDOWN/, 'the server is a replica whose master is down'],
  [/^READONLY/, 'the server is a read-only replica: use its master'],
  [/^BUSY/, 'a script blocks the server: end it with SCRIPT KILL'],
  [/^MISCONF/, 'the server rejects writes because it cannot save its data: check its log'],
  [/^OOM/, 'the server rejects writes because its memory is full: increase maxmemory'],
  [/^NOREPLICAS/, 'the server rejects writes because too few replicas are in sync: check min-replicas-to-write'],
  [
    /^CLUSTERDOWN .* addresses/,
    'the cluster nodes do not know their own addresses: set cluster-announce-ip, or let them meet',
  ],
  [/^CLUSTERDOWN/, 'the cluster does not serve all slots: check CLUSTER INFO'],
  [
    /^(?:MOVED|ASK)\b(?! \d+ \S+:\d+$)/,
    'a cluster node redirects to a node without an address: check its cluster-announce settings',
  ],
  [
    /^Too many Cluster redirections/,
    'the cluster nodes redirect in circles; while a slot migrates, the ACL needs +asking',
  ],
  [/max number of clients/, 'the server has too many connections: increase maxclients'],
  [/^DENIED/, 'the server is in protected mode: configure a user and password for it'],
  [/cluster support disabled/, 'the server is not a Redis Cluster node: use redis:// in COUNTERSIGN_REDIS_URL'],
  [/No such master/, 'the sentinels do not monitor this master: check its name in COUNTERSIGN_REDIS_URL'],
  [/^ERR unknown (?:sub|redis )?command/i, 'the server does not support a command, or has it renamed'],
];

/** Authenticated, but not permitted. For commands in scripts, Redis before 7.2 has no error code. */
const ACL_DENIED = /\b(?:NOPERM|user executing the script can't)\b/;

/** Names the rule that the ACL lacks; undefined if the reply is another one. */
export function explainAclDenial(message: string, owner: AclOwner, command?: RefusedCommand): string | undefined {
  if (!ACL_DENIED.test(message)) return undefined;
  const rule = missingRule(message, command) ?? (/executing the script/.test(message) ? scriptCommand() : undefined);
  return rule === undefined ? `the ACL of ${owner} does not permit this` : `the ACL of ${owner} lacks ${rule}`;
}

/** Before 7.2, Redis does not name it. */
function scriptCommand(): string {
  return `a command that a script calls: compare it with "ACL" in ${documentationUrl('redis.md')}`;
}

function missingRule(message: string, command: RefusedCommand | undefined): string | undefined {
  const [first] = command?.args ?? [];
  if (/access (?:a|one of the) channel/.test(message)) return typeof first === 'string' ? `&${first}` : 'a channel';
  if (/access (?:a|one of the) key/.test(message)) return missingKey(command);
  const [, denied] = /permissions to run the '([^']+)' command/.exec(message) ?? [];
  return denied === undefined ? undefined : `+${withSubcommand(denied.toLowerCase(), command)}`;
}

const firstArgumentIsKey = new Set(['get', 'set', 'pttl', 'hget', 'hmget', 'scard', 'smembers', 'xrange', 'xadd']);

/** The pattern of the key of a command with one key. */
function missingKey(command: RefusedCommand | undefined): string {
  const [first] = command?.args ?? [];
  const isNamed = command !== undefined && firstArgumentIsKey.has(command.name.toLowerCase());
  return isNamed && typeof first === 'string' ? `the key ${first}, or its pattern` : 'a key, or its pattern';
}

/** Redis before 7 does not name the subcommand. */
function withSubcommand(denied: string, command: RefusedCommand | undefined): string {
  const [first] = command?.args ?? [];
  const hasSubcommands = ['client', 'cluster', 'sentinel'].includes(denied) && typeof first === 'string';
  return hasSubcommands ? `${denied}|${first.toLowerCase()}` : denied;
}

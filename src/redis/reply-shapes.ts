import { Command } from 'ioredis';

/** A reply that does not match its command, or that belongs to no command. What sent it may not be Redis. */
export class UnexpectedReplyError extends Error {
  override readonly name = 'UnexpectedReplyError';
}

/** Whether a server replied with an error, and so responds. */
export function isErrorReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

const isText = (reply: unknown) => typeof reply === 'string' || Buffer.isBuffer(reply);
const isTextOrNull = (reply: unknown) => reply === null || isText(reply);
const isListOf = (isItem: (item: unknown) => boolean) => (reply: unknown) =>
  Array.isArray(reply) && reply.every(isItem);

const SLOTS = 16_384;
const isSlot = (value: unknown) => typeof value === 'number' && value >= 0 && value < SLOTS;
/** Start, end, then the nodes: host, port and more each. The host is null if a node does not know its own. */
const isSlotRange = (range: unknown) =>
  Array.isArray(range) && isSlot(range[0]) && isSlot(range[1]) && range.slice(2).every(isClusterNode);
/** With an empty one, ioredis would drop its connections to all nodes. */
function isSlotMap(reply: unknown): boolean {
  if (Array.isArray(reply) && reply.length === 0) throw new Error('CLUSTERDOWN the node has no slot map');
  if (!isListOf(isSlotRange)(reply)) return false;
  // ioredis skips such nodes; without any other, it would never connect, nor report an error.
  if (!nodeHosts(reply).some(Boolean)) throw new Error('CLUSTERDOWN the nodes have no addresses');
  return true;
}
/** Of a reply whose ranges are slot ranges. */
const nodeHosts = (ranges: unknown) =>
  Array.isArray(ranges) ? ranges.flatMap((range) => range.slice(2).map((node: readonly unknown[]) => node[0])) : [];
const isClusterNode = (node: unknown) => Array.isArray(node) && isTextOrNull(node[0]) && typeof node[1] === 'number';

/** An id, and a list of fields and values. */
function isStreamEntry(item: unknown): boolean {
  return Array.isArray(item) && item.length === 2 && isText(item[0]) && isListOf(isText)(item[1]);
}

/**
 * The replies to the commands that ioredis or we send, by the name under which ioredis knows the command. ioredis uses
 * several without a check, in callbacks whose exceptions end the process.
 */
const shapes: Readonly<Record<string, (reply: unknown) => boolean>> = {
  info: isText,
  // INFO, or SLOTS.
  cluster: (reply) => (typeof reply === 'string' ? reply.includes('cluster_state:') : isSlotMap(reply)),
  // get-master-addr-by-name, or sentinels.
  sentinel: (reply) => reply === null || isListOf((item) => isText(item) || isListOf(isText)(item))(reply),
  get: isTextOrNull,
  set: (reply) => reply === null || reply === 'OK',
  time: isListOf((part) => isText(part) || typeof part === 'number'),
  pttl: (reply) => typeof reply === 'number',
  scan: (reply) => Array.isArray(reply) && isText(reply[0]) && isListOf(isText)(reply[1]),
  scard: (reply) => typeof reply === 'number',
  smembers: isListOf(isText),
  xadd: isText,
  xrange: isListOf(isStreamEntry),
  xdel: (reply) => typeof reply === 'number',
  hget: isTextOrNull,
  hmget: isListOf(isTextOrNull),
};

/** @throws {UnexpectedReplyError} unless a command succeeded that replies with nothing else */
export function requireOk(reply: unknown, command: string): void {
  if (reply !== 'OK') throw new UnexpectedReplyError(`unexpected reply to ${command}`);
}

/**
 * Returns the reply of a script that replies with one item for each of its keys.
 *
 * @throws {UnexpectedReplyError}
 */
export function requireItems<Item>(
  reply: unknown,
  keys: readonly string[],
  isItem: (item: unknown) => item is Item,
): readonly Item[] {
  if (Array.isArray(reply) && reply.length === keys.length && reply.every(isItem)) return reply;
  throw new UnexpectedReplyError('unexpected reply to a script');
}

/** Makes ioredis reject a command whose reply has another shape, with an {@link UnexpectedReplyError}. */
export function rejectUnexpectedReplies(): void {
  for (const [name, isExpected] of Object.entries(shapes)) {
    Command.setReplyTransformer(name, (reply: unknown) => {
      if (isExpected(reply)) return reply;
      throw new UnexpectedReplyError(`unexpected reply to ${name.toUpperCase()}`);
    });
  }
}

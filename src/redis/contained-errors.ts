import { type Command, Redis } from 'ioredis';
import dataHandlerExports from 'ioredis/built/DataHandler.js';
import { isErrorReply, rejectUnexpectedReplies, UnexpectedReplyError } from './reply-shapes.ts';

/**
 * Keeps errors of ioredis from ending the process, for all connections, including those that it opens itself (to cluster
 * nodes and sentinels). A connection whose server sends what ioredis cannot process is replaced instead.
 *
 * - ioredis sends some commands without looking at their outcome: SELECT and SUBSCRIBE after a reconnection, ASKING. If
 *   the server refuses one, nothing handles the rejection.
 * - It throws exceptions while it processes a reply in a timer, where nothing can catch them.
 */
export function containErrors(): void {
  rejectUnexpectedReplies();
  handleEachRejection();
  replaceConnectionOnException();
}

/** Who awaits a command still gets its error; an outcome that is not awaited is no unhandled rejection any more. */
function handleEachRejection(): void {
  const { sendCommand } = Redis.prototype;
  Redis.prototype.sendCommand = function (command, stream) {
    command.promise.catch(() => {});
    return sendCommand.call(this, command, stream);
  };
}

/** Processes the replies of one connection. */
interface DataHandler {
  readonly redis: {
    readonly commandQueue: { shift(): CommandItem | undefined };
    recoverFromFatalError(forCommands: Error, forListeners: Error, options: { readonly offlineQueue: boolean }): void;
  };
  /** Calls a function that processes one reply. */
  dispatch(process: () => void): void;
  /** Returns the command that a reply is for. */
  shiftCommand(reply: unknown): CommandItem;
  /** Added by us: the command whose reply is being processed. */
  current?: Command | undefined;
  /** Added by us: the replies that follow are not processed. */
  isBroken?: boolean;
}

interface CommandItem {
  readonly command: Command;
}

const overrides: Pick<DataHandler, 'dispatch' | 'shiftCommand'> & ThisType<DataHandler> = {
  dispatch(process) {
    if (this.isBroken) return;
    this.current = undefined;
    try {
      process();
    } catch (thrown) {
      replaceConnection(this, thrown);
    }
  },
  shiftCommand(reply) {
    const item = this.redis.commandQueue.shift();
    // From here on, replies would be taken for those of other commands.
    if (!item) throw reply instanceof Error ? reply : new UnexpectedReplyError('unexpected reply, to no command');
    this.current = item.command;
    if (isErrorReply(reply)) reply.message = reply.message.replace(PROTECTED_MODE, '$1');
    return item;
  },
};

/** Its explanation, "no password is set", makes ioredis ignore the error. */
const PROTECTED_MODE = /^(DENIED .*?protected mode)\b.*$/s;

function replaceConnectionOnException(): void {
  // Node imports the exports of a CommonJS module; bundlers and test runners, its default export.
  const { prototype } = 'default' in dataHandlerExports ? dataHandlerExports.default : dataHandlerExports;
  for (const [name, value] of Object.entries(overrides)) Object.defineProperty(prototype, name, { value });
}

function replaceConnection(handler: DataHandler, thrown: unknown): void {
  const isExplained = thrown instanceof UnexpectedReplyError || isErrorReply(thrown);
  const error = isExplained ? thrown : new UnexpectedReplyError('unexpected reply', { cause: thrown });
  handler.isBroken = true;
  handler.current?.reject(error);
  handler.redis.recoverFromFatalError(error, error, { offlineQueue: false });
}

import { connect, createServer, type Socket } from 'node:net';
import { freePort } from './free-port.ts';
import { commandWords, isUnsolicited, respSplitter } from './resp.ts';

/**
 * Returns the reply to a command, RESP in Latin-1, in place of the server's; undefined forwards the command.
 *
 * @param words of the command, in the case in which it was sent
 */
export type ReplyRule = (words: readonly string[]) => string | undefined;

/** A proxy in front of one Redis server or sentinel that replies to chosen commands itself. Initially it forwards all. */
export interface CommandProxy {
  readonly port: number;
  /** Replaces the rule of all connections, also of the present ones. */
  readonly setRule: (rule: ReplyRule) => void;
  /** Sends this to all clients, although they have not asked for it. */
  readonly sendToAll: (reply: string) => void;
  /** Resets all connections; clients may connect again. */
  readonly resetAll: () => void;
  readonly stop: () => Promise<void>;
}

/** Listens on loopback, in this process. */
export async function startCommandProxy(targetPort: number): Promise<CommandProxy> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  let rule: ReplyRule = () => undefined;
  const replyTo: ReplyRule = (words) => rule(words);
  const server = createServer({ noDelay: true }, (client) => {
    sockets.add(client.once('close', () => sockets.delete(client)));
    forward(client, connect({ port: targetPort, host: '127.0.0.1', noDelay: true }), replyTo);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const resetAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port,
    setRule: (next) => {
      rule = next;
    },
    sendToAll: (reply) => {
      for (const socket of sockets) socket.write(reply, 'latin1');
    },
    resetAll,
    stop: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      resetAll();
      await closed;
    },
  };
}

/** Keeps replies in the order of the commands, since a client matches them by their order. */
function forward(client: Socket, server: Socket, replyTo: ReplyRule): void {
  const end = () => {
    client.destroy();
    server.destroy();
  };
  for (const socket of [client, server]) socket.on('error', end).on('close', end);
  const expected: (string | 'of the server')[] = [];
  const sendOwnReplies = () => {
    while (expected.length > 0 && expected[0] !== 'of the server') client.write(expected.shift() ?? '', 'latin1');
  };
  const onCommand = (value: Buffer) => {
    const reply = replyTo(commandWords(value));
    expected.push(reply ?? 'of the server');
    if (reply === undefined) server.write(value);
    sendOwnReplies();
  };
  const onReply = (value: Buffer) => {
    client.write(value);
    if (isUnsolicited(value)) return;
    expected.shift();
    sendOwnReplies();
  };
  client.on('data', respSplitter(onCommand));
  server.on('data', respSplitter(onReply));
}

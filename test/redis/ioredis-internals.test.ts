import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Cluster, Redis, SentinelConnector } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import '../../src/redis/connect.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startProxiedCluster } from '../support/proxied-cluster.ts';

/**
 * What src/redis patches or relies on without a promise of ioredis. When an upgrade breaks one of these, change the file
 * that the message names.
 */
const lacks = (part: string, file: string) => `ioredis no longer has ${part}, which src/redis/${file} relies on`;

describe('ioredis SentinelConnector', () => {
  const FILE = 'sentinel-connector.ts';

  /** Private in the type declarations only. */
  interface Internals extends Pick<SentinelConnector, 'connect' | 'disconnect'> {
    connectToSentinel: unknown;
    resolve: unknown;
    initFailoverDetector: unknown;
    failoverDetector: { cleanup(): void } | null;
    stream: unknown;
  }

  test.each([
    ['connectToSentinel', 2],
    ['resolve', 1],
    ['initFailoverDetector', 0],
    ['connect', 1],
    ['disconnect', 0],
  ])('has the method %s with %d parameters', (name, parameters) => {
    const method: unknown = Object.getOwnPropertyDescriptor(SentinelConnector.prototype, name)?.value;
    expect(method, lacks(`SentinelConnector.prototype.${name}`, FILE)).toBeTypeOf('function');
    expect(method, lacks(`the parameters of SentinelConnector.prototype.${name}`, FILE)).toHaveProperty(
      'length',
      parameters,
    );
  });

  /** A connector whose overridden methods record their calls, with sentinels that reply as `sentinel` does. */
  function recordingConnector(
    sentinel: () => Promise<unknown>,
    sentinelRetryStrategy: () => number | null = () => null,
  ) {
    const calls: string[] = [];
    const messageListeners: ((channel: string) => void)[] = [];
    const client = {
      on: (event: string, listener: (channel: string) => void) => {
        if (event === 'message') messageListeners.push(listener);
        return client;
      },
      sentinel,
      subscribe: async () => 1,
      disconnect: () => calls.push('sentinel.disconnect'),
    };
    class Recording extends SentinelConnector {}
    // Private in the type declarations only.
    const original = SentinelConnector.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
    const override = (name: string, call: (self: unknown, args: unknown[]) => unknown) =>
      Object.defineProperty(Recording.prototype, name, {
        value(...args: unknown[]) {
          calls.push(name);
          return call(this, args);
        },
      });
    override('connectToSentinel', () => client);
    for (const name of ['resolve', 'initFailoverDetector'])
      override(name, (self, args) => original[name]?.apply(self, args));
    const options = {
      failoverDetector: true,
      sentinelMaxConnections: 10,
      disconnectTimeout: 50,
      sentinelRetryStrategy,
    };
    const connector = new Recording({ ...options, sentinels: [{ host: '127.0.0.1', port: 26379 }], name: 'main' });
    onTestFinished(() => connector.disconnect());
    // Private in the type declarations only.
    return {
      connector: connector as unknown as Internals,
      calls,
      announceFailover: () => messageListeners.map((listener) => listener('+switch-master')),
    };
  }

  async function connectToMaster() {
    const port = await listenFor(() => {});
    const recording = recordingConnector(async () => ['127.0.0.1', String(port)]);
    const stream = await recording.connector.connect(() => {});
    if (!('once' in stream)) throw new Error('the stream emits no events');
    await new Promise<void>((resolve) => stream.once('connect', () => setImmediate(resolve)));
    return { ...recording, stream };
  }

  test('calls the overridden methods, in the order that the patches rely on', async () => {
    const { calls } = await connectToMaster();
    expect(
      calls,
      lacks('the call chain connect → resolve → connectToSentinel, initFailoverDetector → connectToSentinel', FILE),
    ).toEqual(['resolve', 'connectToSentinel', 'sentinel.disconnect', 'initFailoverDetector', 'connectToSentinel']);
  });

  test('resolves the address of the master', async () => {
    const { connector } = await connectToMaster();
    const resolve = connector.resolve;
    if (typeof resolve !== 'function') throw new Error(lacks('SentinelConnector.resolve', FILE));
    const address: unknown = await resolve.call(connector, { host: '127.0.0.1', port: 26379 });
    expect(address, lacks('the result of SentinelConnector.resolve', FILE)).toEqual({
      host: '127.0.0.1',
      port: expect.any(Number),
    });
  });

  test('keeps the connection to the master as stream, and closes it on disconnect', async () => {
    const { connector, stream } = await connectToMaster();
    expect(connector.stream, lacks('SentinelConnector.stream', FILE)).toBe(stream);
    connector.disconnect();
    expect(stream, lacks('SentinelConnector.disconnect, which ends the stream', FILE)).toHaveProperty(
      'writableEnded',
      true,
    );
  });

  test('has a failover detector that ignores failovers after cleanup', async () => {
    const { connector, stream, calls, announceFailover } = await connectToMaster();
    expect(connector.failoverDetector?.cleanup, lacks('SentinelConnector.failoverDetector.cleanup', FILE)).toBeTypeOf(
      'function',
    );
    calls.length = 0;
    connector.failoverDetector?.cleanup();
    expect(announceFailover()).toHaveLength(1);
    expect(calls, lacks('FailoverDetector.cleanup, which disconnects from the sentinels', FILE)).toEqual([
      'sentinel.disconnect',
    ]);
    expect(stream, lacks('FailoverDetector.cleanup, which ends the subscription', FILE)).toHaveProperty(
      'writableEnded',
      false,
    );
  });

  test('reports that no sentinel returned the master, with the last error', async () => {
    const delays = [7, null];
    const { connector } = recordingConnector(
      () => Promise.reject(new Error('ERR No such master')),
      () => delays.shift() ?? null,
    );
    const errors: string[] = [];
    await connector.connect((_, error) => errors.push(error.message)).catch(() => {});
    expect(errors, lacks('the message of SentinelConnector', 'explain.ts')).toContain(
      'All sentinels are unreachable. Retrying from scratch after 7ms. Last error: ERR No such master',
    );
  });

  test('is created by Redis with the options of the connection', () => {
    let received: unknown;
    class Recording extends SentinelConnector {
      constructor(options: unknown) {
        // The options below.
        super(options as ConstructorParameters<typeof SentinelConnector>[0]);
        received = options;
      }
    }
    const redis = new Redis({
      Connector: Recording,
      sentinels: [{ host: '127.0.0.1', port: 1 }],
      name: 'main',
      lazyConnect: true,
    });
    redis.disconnect();
    expect(received, lacks('the option Connector', 'connect.ts')).toMatchObject({ name: 'main' });
  });
});

describeWith(['redis-server'], 'ioredis Cluster', () => {
  test('emits +node, refresh and -node, has nodes with host and port, and refreshes its slots on request', async () => {
    const { proxy } = await startProxiedCluster();
    const cluster = new Cluster([{ host: '127.0.0.1', port: proxy.port }], { clusterRetryStrategy: () => null });
    onTestFinished(() => cluster.disconnect());
    const events: string[] = [];
    const added: unknown[] = [];
    cluster.on('+node', (node: unknown) => added.push(node));
    for (const event of ['refresh', '-node']) cluster.on(event, () => events.push(event));
    const untilEmitted = (event: string) =>
      eventually(
        () => events.includes(event),
        () => lacks(`the event ${event} of Cluster`, 'invalidation/cluster.ts'),
        5_000,
      );
    await new Promise<void>((resolve) => cluster.once('ready', resolve));
    expect(cluster.refreshSlotsCache, lacks('Cluster.refreshSlotsCache', 'connect.ts')).toBeTypeOf('function');
    events.length = 0;
    cluster.refreshSlotsCache();
    await untilEmitted('refresh');
    const [master] = cluster.nodes('master');
    expect(master, lacks('Cluster.nodes, which returns connections', 'invalidation/cluster.ts')).toBeInstanceOf(Redis);
    expect(master?.options, lacks('host and port of a cluster node', 'invalidation/cluster.ts')).toMatchObject({
      host: '127.0.0.1',
      port: proxy.port,
    });
    expect(added, lacks('the event +node of Cluster, with the connection', 'heartbeat.ts')).toContain(master);
    master?.disconnect();
    await untilEmitted('-node');
  });

  test('reports the last error of a node when none is reachable', async () => {
    const cluster = new Cluster([{ host: '127.0.0.1', port: await freePort() }], { clusterRetryStrategy: () => null });
    onTestFinished(() => cluster.disconnect());
    const error = await new Promise<unknown>((resolve) => cluster.once('error', resolve));
    expect(error, lacks('lastNodeError of ClusterAllFailedError', 'explain.ts')).toMatchObject({
      message: 'Failed to refresh slots cache.',
      lastNodeError: { message: 'Connection is closed.' },
    });
  });
});

/** With the replacements of src/redis/contained-errors.ts: without them, each of these ends the process. */
describe('ioredis, with its errors contained,', () => {
  const FILE = 'contained-errors.ts';

  /** A connection to a server that replies to the first command with this. */
  async function connectedTo(reply: string) {
    const port = await listenFor((socket) => socket.once('data', () => socket.write(reply)));
    const redis = new Redis({
      protocol: 2,
      port,
      enableReadyCheck: false,
      disableClientInfo: true,
      retryStrategy: () => null,
    });
    onTestFinished(() => redis.disconnect());
    const errors: string[] = [];
    redis.on('error', ({ message }: Error) => errors.push(message));
    const ended = new Promise<void>((resolve) => redis.once('end', resolve));
    return { redis, errors, ended };
  }

  test('rejects a command whose reply it cannot process, and ends the connection', async () => {
    const { redis, errors, ended } = await connectedTo(':7\r\n');
    await expect(redis.subscribe('channel'), lacks('DataHandler.dispatch', FILE)).rejects.toThrow('unexpected reply');
    await ended;
    expect(errors).toEqual(['unexpected reply']);
  });

  test.each([
    ['$-1\r\n', 'unexpected reply, to no command'],
    ['-ERR max number of clients reached\r\n', 'ERR max number of clients reached'],
  ])('ends a connection with the reply %j to no command', async (reply, message) => {
    const { redis, errors, ended } = await connectedTo(`+PONG\r\n${reply}`);
    await redis.ping();
    await ended;
    expect(errors, lacks('DataHandler.shiftCommand', FILE)).toEqual([message]);
  });

  test('rejects a command whose reply has another shape', async () => {
    const { redis } = await connectedTo(':7\r\n');
    await expect(redis.info(), lacks('Command.setReplyTransformer', 'reply-shapes.ts')).rejects.toThrow(
      'unexpected reply to INFO',
    );
  });

  test('has no unhandled rejection after a refused command that nothing awaits', async () => {
    const { redis } = await connectedTo('-ERR no\r\n');
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    redis.asking();
    await new Promise<void>((resolve) => setTimeout(resolve, 100));
    expect(unhandled, lacks('Redis.sendCommand', FILE)).toEqual([]);
  });

  test('has the methods of a Cluster that are replaced', () => {
    // Private in the type declarations only.
    const { readyCheck } = Cluster.prototype as unknown as { readonly readyCheck: unknown };
    expect(readyCheck, lacks('Cluster.prototype.readyCheck', 'cluster.ts')).toHaveProperty('length', 1);
    expect(Cluster.prototype.handleError, lacks('Cluster.prototype.handleError', 'cluster.ts')).toHaveProperty(
      'length',
      3,
    );
  });
});

describe('ioredis reports', () => {
  const options = { protocol: 2, enableReadyCheck: false, disableClientInfo: true, retryStrategy: () => null } as const;

  async function connected(respond: (socket: Socket) => void, more: object = {}) {
    const redis = new Redis({ ...options, port: await listenFor(respond), ...more });
    redis.on('error', () => {});
    onTestFinished(() => redis.disconnect());
    await new Promise<void>((resolve) => redis.once('ready', resolve));
    return redis;
  }
  const messageOf = (reply: Promise<unknown>) =>
    reply.then(
      () => 'a reply',
      (error: Error) => error.message,
    );

  test('Command timed out', async () => {
    const redis = await connected(() => {}, { commandTimeout: 50 });
    expect(await messageOf(redis.ping()), lacks('the message of a command timeout', 'explain.ts')).toBe(
      'Command timed out',
    );
  });

  test('Connection is closed.', async () => {
    const redis = await connected(() => {});
    redis.disconnect();
    await new Promise<void>((resolve) => redis.once('end', resolve));
    expect(await messageOf(redis.ping()), lacks('the message of a closed connection', 'explain.ts')).toBe(
      'Connection is closed.',
    );
  });

  test('Stream isn’t writeable', async () => {
    const redis = new Redis({ ...options, port: await freePort(), enableOfflineQueue: false });
    redis.on('error', () => {});
    onTestFinished(() => redis.disconnect());
    expect(await messageOf(redis.ping()), lacks('the message without an offline queue', 'explain.ts')).toMatch(
      /^Stream isn't writeable/,
    );
  });

  test('Reached the max retries', async () => {
    const more = { maxRetriesPerRequest: 0, retryStrategy: () => 10_000 };
    const redis = await connected((socket) => socket.once('data', () => socket.end()), more);
    expect(await messageOf(redis.ping()), lacks('the message of maxRetriesPerRequest', 'explain.ts')).toMatch(
      /^Reached the max retries/,
    );
  });

  test('Unknown RESP type', async () => {
    const redis = await connected((socket) => socket.once('data', () => socket.write('HTTP/1.1 400\r\n')));
    const error = new Promise<Error>((resolve) => redis.once('error', resolve));
    redis.ping().catch(() => {});
    expect((await error).message, lacks('the message of a protocol error', 'explain.ts')).toMatch(
      /^Unknown RESP type 72/,
    );
  });

  test('an error reply as ReplyError', async () => {
    const redis = await connected((socket) => socket.once('data', () => socket.write('-ERR no\r\n')));
    const error: unknown = await redis.ping().catch((reason: unknown) => reason);
    expect(error, lacks('the name ReplyError of error replies', 'guarded-redis.ts')).toMatchObject({
      name: 'ReplyError',
    });
  });
});

/** Starts a server that does this to every connection, and returns its port. */
async function listenFor(respond: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => respond(socket.on('error', () => {}).resume()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  // Not a string, since it listens on TCP.
  return (server.address() as AddressInfo).port;
}

import { createServer, type Server, type Socket } from 'node:net';
import { type FaultConnection, faultConnection, type ProxiedConnection } from './fault-connection.ts';
import { freePort } from './free-port.ts';

export interface FaultProxyOptions {
  /** Where Redis listens. */
  readonly target: { readonly port: number; readonly host?: string };
  /** Default: a free port. */
  readonly port?: number;
}

/** A TCP proxy in front of Redis that injects network faults. Initially it only forwards. */
export interface FaultProxy {
  readonly port: number;
  readonly url: string;
  /** The connections that clients have open. */
  readonly connections: () => ProxiedConnection[];
  /** Milliseconds per direction, so a round trip takes twice as long. Preserves order. */
  readonly setLatency: (milliseconds: number) => void;
  /**
   * Makes all connections half-open: they are accepted, but their data and their end are discarded. The present ones stay
   * half-open after `resume`.
   */
  readonly stopForwarding: () => void;
  /** Makes only the matching connections half-open, and returns them. */
  readonly freeze: (predicate: (connection: ProxiedConnection) => boolean) => ProxiedConnection[];
  /** Resets connections, and refuses new ones. */
  readonly refuse: () => Promise<void>;
  /** Forwards new connections again. The latency stays. */
  readonly resume: () => Promise<void>;
  /** Selects the target of each new connection, as a load balancer does. Open connections keep theirs. */
  readonly redirect: (choose: () => { readonly port: number }) => void;
  /** Resets connections, and forwards new ones. */
  readonly destroyAll: () => void;
  readonly stop: () => Promise<void>;
}

/** Listens on loopback, in this process. */
export async function startFaultProxy({ target, port: given }: FaultProxyOptions): Promise<FaultProxy> {
  const port = given ?? (await freePort());
  const proxy = new Forwarder(port, { host: '127.0.0.1', ...target });
  await proxy.listen();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    connections: () => proxy.open().map(({ snapshot }) => snapshot()),
    setLatency: (milliseconds) => {
      proxy.latency = milliseconds;
    },
    stopForwarding: () => {
      proxy.isForwarding = false;
      proxy.freeze(() => true);
    },
    freeze: (predicate) => proxy.freeze(predicate),
    refuse: () => proxy.close(),
    resume: async () => {
      proxy.isForwarding = true;
      await proxy.listen();
    },
    redirect: (choose) => {
      proxy.choose = () => ({ host: '127.0.0.1', ...choose() });
    },
    destroyAll: () => proxy.resetAll(),
    stop: () => proxy.close(),
  };
}

class Forwarder {
  latency = 0;
  isForwarding = true;
  choose: () => { readonly host: string; readonly port: number };
  readonly #port: number;
  readonly #connections = new Set<FaultConnection>();
  #server: Server | undefined;
  #ids = 0;

  constructor(port: number, target: { readonly host: string; readonly port: number }) {
    this.#port = port;
    this.choose = () => target;
  }

  open(): FaultConnection[] {
    return [...this.#connections].filter((connection) => connection.isOpen());
  }

  freeze(predicate: (connection: ProxiedConnection) => boolean): ProxiedConnection[] {
    const chosen = this.open().filter(({ snapshot }) => predicate(snapshot()));
    for (const { freeze } of chosen) freeze();
    return chosen.map(({ snapshot }) => snapshot());
  }

  /** Includes connections that ended on the client's side only. */
  resetAll(): void {
    for (const { reset } of this.#connections) reset();
    this.#connections.clear();
  }

  async listen(): Promise<void> {
    if (this.#server) return;
    const options = { allowHalfOpen: true, noDelay: true };
    const server = createServer(options, (client) => this.#accept(client));
    this.#server = server;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject).listen(this.#port, '127.0.0.1', resolve);
    await promise;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    this.resetAll();
    await closed;
  }

  #accept(client: Socket): void {
    const latency = () => this.latency;
    const id = ++this.#ids;
    this.#connections.add(
      faultConnection(client, { id, target: this.choose(), latency, isFrozen: !this.isForwarding }),
    );
  }
}

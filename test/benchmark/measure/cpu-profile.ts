import { setTimeout as delay } from 'node:timers/promises';

/** A CPU profile of V8, as the Chrome DevTools protocol defines it (domain Profiler). */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** The id of the node that was on top of the stack, for each sample. */
  readonly samples: readonly number[];
  /** Microseconds between a sample and the one before it. */
  readonly timeDeltas: readonly number[];
}

/** A function, called by one chain of callers. */
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
}

export interface CallFrame {
  /** Also `(idle)`, `(program)` for native code without a caller in JavaScript, and `(garbage collector)`. */
  readonly functionName: string;
  readonly url: string;
  /** Of the start of the function, from 0. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

const SAMPLING_MICROSECONDS = 100;

/** @param port of a process that was started with `--inspect=127.0.0.1:PORT` */
export async function profileCpu(port: number, work: () => Promise<unknown>): Promise<CpuProfile> {
  const inspector = await connectInspector(port);
  try {
    await inspector.call('Profiler.enable');
    await inspector.call('Profiler.setSamplingInterval', { interval: SAMPLING_MICROSECONDS });
    await inspector.call('Profiler.start');
    await work();
    // Safe: the result of Profiler.stop in the protocol.
    const { profile } = (await inspector.call('Profiler.stop')) as { profile: CpuProfile };
    return profile;
  } finally {
    inspector.close();
  }
}

interface Inspector {
  readonly call: (method: string, params?: object) => Promise<unknown>;
  readonly close: () => void;
}

async function connectInspector(port: number): Promise<Inspector> {
  const socket = new WebSocket(await debuggerUrl(port));
  const { promise: opened, resolve, reject } = Promise.withResolvers<void>();
  socket.onopen = () => resolve();
  socket.onerror = () => reject(new Error('the inspector of Node.js does not accept connections'));
  await opened;
  const pending = new Map<number, (result: unknown) => void>();
  socket.onmessage = ({ data }) => {
    // Safe: a response of the protocol; notifications have no id.
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    pending.get(id ?? 0)?.(result);
    pending.delete(id ?? 0);
  };
  let id = 0;
  const call = (method: string, params = {}) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    pending.set(++id, resolve);
    socket.send(JSON.stringify({ id, method, params }));
    return promise;
  };
  return { call, close: () => socket.close() };
}

async function debuggerUrl(port: number): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/json/list`);
      // Safe: the list of targets; a process of Node.js is one.
      const [target] = (await response.json()) as { webSocketDebuggerUrl: string }[];
      if (target) return target.webSocketDebuggerUrl;
    } catch (error) {
      if (attempt === 50) throw error;
    }
    await delay(100);
  }
}

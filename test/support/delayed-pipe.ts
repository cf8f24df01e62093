import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface DelayedPipeOptions {
  /** Milliseconds; called for each chunk. */
  readonly latency: () => number;
  /** Once true, data is read but no longer delivered. */
  readonly isFrozen: () => boolean;
  readonly onBytes: (bytes: Buffer) => void;
}

/** Forwards data, end and reset from one socket to another, delayed and in order. */
export function delayedPipe(from: Socket, to: Socket, { latency, isFrozen: isCut, onBytes }: DelayedPipeOptions): void {
  let last = Promise.resolve();
  const deliverLater = (action: () => void) => {
    const due = performance.now() + latency();
    last = last.then(async () => {
      const remaining = due - performance.now();
      if (remaining > 0) await delay(remaining);
      if (!isCut()) action();
    });
  };
  from.on('data', (bytes: Buffer) => {
    onBytes(bytes);
    deliverLater(() => to.write(bytes));
  });
  from.on('end', () => deliverLater(() => to.end()));
  from.on('error', () => deliverLater(() => to.resetAndDestroy()));
}

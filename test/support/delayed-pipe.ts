import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface DelayedPipeOptions {
  /** In milliseconds; asked for each piece. */
  readonly latency: () => number;
  /** What would arrive from then on is gone; it is read all the same. */
  readonly isCut: () => boolean;
  readonly onBytes: (bytes: Buffer) => void;
}

/** Passes on what one socket receives to another, its end and its RST too, later and in the same order. */
export function delayedPipe(from: Socket, to: Socket, { latency, isCut, onBytes }: DelayedPipeOptions): void {
  let last = Promise.resolve();
  const later = (action: () => void) => {
    const due = performance.now() + latency();
    last = last.then(async () => {
      const remaining = due - performance.now();
      if (remaining > 0) await delay(remaining);
      if (!isCut()) action();
    });
  };
  from.on('data', (bytes: Buffer) => {
    onBytes(bytes);
    later(() => to.write(bytes));
  });
  from.on('end', () => later(() => to.end()));
  from.on('error', () => later(() => to.resetAndDestroy()));
}

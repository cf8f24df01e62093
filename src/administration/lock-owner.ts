import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { abbreviate, printable } from '../text.ts';

/** The owner of the apply lock, JSON at its key in Redis. The token makes the value unique; it is not a secret. */
interface LockOwner {
  readonly host: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly started_at: string;
  readonly token: string;
}

/** The value for a run of this process that starts now. */
export function currentOwner(): string {
  const owner: LockOwner = {
    host: hostname(),
    pid: process.pid,
    started_at: new Date().toISOString(),
    token: randomUUID(),
  };
  return JSON.stringify(owner);
}

/** The owner in words; undefined when the value was not written by `clients apply`. */
export function describeOwner(value: string): string | undefined {
  const { host, pid, started_at: startedAt } = parseOwner(value);
  if (typeof host !== 'string' || typeof pid !== 'number' || typeof startedAt !== 'string') return undefined;
  return printable(abbreviate(`process ${pid} on ${host}, since ${startedAt}`));
}

function parseOwner(text: string): Partial<Record<keyof LockOwner, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

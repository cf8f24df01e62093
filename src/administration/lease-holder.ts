import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { abbreviate, printable } from '../text.ts';

/** Who holds the lease: what stands at its key. The token makes it this run's alone; it is no secret. */
interface LeaseHolder {
  readonly host: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly began: string;
  readonly token: string;
}

/** The value of the key for a run of this process that begins now, JSON. */
export function ownHolder(): string {
  const began = new Date().toISOString();
  const holder: LeaseHolder = { host: hostname(), pid: process.pid, began, token: randomUUID() };
  return JSON.stringify(holder);
}

/** Who holds it, in words; undefined where something else stands at the key, which anybody may have written. */
export function describeHolder(text: string): string | undefined {
  const { host, pid, began } = fieldsOf(text);
  if (typeof host !== 'string' || typeof pid !== 'number' || typeof began !== 'string') return undefined;
  return printable(abbreviate(`process ${pid} on ${host}, since ${began}`));
}

function fieldsOf(text: string): Partial<Record<keyof LeaseHolder, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

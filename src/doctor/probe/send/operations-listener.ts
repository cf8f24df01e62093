import { request } from 'node:http';
import { OperatorError } from '../../../operator-error.ts';
import { headerFormatNames } from '../../../terminator/formats.ts';
import type { EffectiveConfig } from '../../observer/endpoint.ts';
import type { Observation } from '../../observer/observe.ts';
import { PATIENCE_MS } from './connection.ts';

/** Asks the operations listeners of all replicas what arrived. Each is `http://host:port` or `unix:/path`. */
export interface Watch {
  /** What each replica believes, in the order of the listeners. */
  readonly beliefs: readonly [EffectiveConfig, ...EffectiveConfig[]];
  /** Forgets what was observed, and goes on watching. */
  readonly renew: () => Promise<void>;
  readonly read: () => Promise<Observation[]>;
}

/**
 * Tells the replicas to observe requests that carry this id.
 *
 * @throws {OperatorError} naming a listener that cannot be asked
 */
export async function startWatch(listeners: readonly [string, ...string[]], id: string): Promise<Watch> {
  const path = `/doctor/${id}`;
  const renew = () =>
    Promise.all(listeners.map(async (listener) => effectiveConfigIn(listener, await ask(listener, 'PUT', path))));
  const read = async () => {
    const all = await Promise.all(
      listeners.map(async (listener) => observationsIn(listener, await ask(listener, 'GET', path))),
    );
    return all.flat();
  };
  const [first, ...others] = await renew();
  if (!first) throw new OperatorError(['--operations: name one operations listener at least']);
  return { beliefs: [first, ...others], renew: async () => void (await renew()), read };
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

function effectiveConfigIn(listener: string, { status, body }: Reply): EffectiveConfig {
  const belief = status === 201 && isObject(body) ? body.belief : undefined;
  if (isEffectiveConfig(belief)) return belief;
  throw notOurs(listener, status);
}

function observationsIn(listener: string, { status, body }: Reply): Observation[] {
  const observations = status === 200 && isObject(body) ? body.observations : undefined;
  if (Array.isArray(observations) && observations.every(isObservation)) return observations;
  if (status === 404) {
    throw new OperatorError([
      `${listener} forgot this run: it was started anew, or many others run the doctor; try again`,
    ]);
  }
  throw notOurs(listener, status);
}

function notOurs(listener: string, status: number): OperatorError {
  return new OperatorError([
    `${listener} is not the operations listener of a Countersign of this version (HTTP ${status}): ` +
      'name it with --operations; it is what the server calls COUNTERSIGN_OPERATIONS_LISTEN',
  ]);
}

function ask(listener: string, method: string, path: string): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const asked = request({ ...addressOf(listener), method, path, timeout: PATIENCE_MS }, async (response) => {
    const chunks: Uint8Array[] = await response.toArray().catch(() => []);
    resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString('utf8')) });
  });
  asked.once('timeout', () => asked.destroy(new Error(`no answer in ${PATIENCE_MS / 1000} s`)));
  asked.once('error', (error: NodeJS.ErrnoException) => reject(unreachable(listener, error)));
  asked.end();
  return promise;
}

function unreachable(listener: string, { code, message }: NodeJS.ErrnoException): OperatorError {
  return new OperatorError([
    `cannot reach the operations listener at ${listener} (${code ?? message}): run the doctor beside the server, or ` +
      'bring the listener here (kubectl port-forward pod/NAME 9090) and name it with --operations; ' +
      'it may also be off (COUNTERSIGN_OPERATIONS_LISTEN)',
  ]);
}

function addressOf(listener: string) {
  if (listener.startsWith('unix:')) return { socketPath: listener.slice('unix:'.length) };
  const { hostname, port } = new URL(listener);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Looked at so far that another program, or another version, is told from ours. */
function isEffectiveConfig(value: unknown): value is EffectiveConfig {
  if (!isObject(value) || !isObject(value.verification)) return false;
  if (!headerFormatNames.some((name) => name === value.terminator)) return false;
  return [value.issuer, value.mtls_url, value.certificate_header, value.proxy_trust, value.listens_on].every(isString);
}

function isObservation(value: unknown): value is Observation {
  if (!isObject(value) || !isObject(value.outcome) || !isObject(value.proxy_trust)) return false;
  return isString(value.request) && isString(value.peer) && Array.isArray(value.fields);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

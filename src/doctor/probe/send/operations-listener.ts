import { request } from 'node:http';
import { firstAttempt, type NetworkError, unreachableReason } from '../../../errors/network-error.ts';
import { OperatorError } from '../../../errors/operator-error.ts';
import { headerFormatNames } from '../../../terminator/formats.ts';
import type { Arrival } from '../../observer/arrival.ts';
import type { EffectiveConfig } from '../../observer/effective-config.ts';
import { type Observation, WITHOUT_CERTIFICATE } from '../../observer/observe.ts';
import { TIMEOUT_MS } from './connection.ts';

/** A watch on all replicas. */
export interface Watch<Item = Observation> {
  /** One for each replica, in the order of the listeners. */
  readonly effectiveConfigs: readonly [EffectiveConfig, ...EffectiveConfig[]];
  /** Discards the observations so far. */
  readonly restart: () => Promise<void>;
  /** Reads the observations of all replicas. */
  readonly read: () => Promise<Item[]>;
}

/**
 * Starts to observe requests with this id on all replicas.
 *
 * @param listeners `http://host:port` or `unix:/path`
 * @throws {OperatorError} naming a listener that cannot be used; so do the functions of the watch
 */
export function openWatch(listeners: Listeners, id: string): Promise<Watch> {
  return openWatchAt(listeners, `/doctor/${id}`, isObservation);
}

/** A watch on the edge listener and on the upstream of a test route, of all replicas. */
export interface EdgeWatch {
  readonly effectiveConfigs: Watch['effectiveConfigs'];
  /** Discards what was observed so far. */
  readonly restart: () => Promise<void>;
  /** What arrived at the upstream. */
  readonly readArrivals: () => Promise<Arrival[]>;
  /** The checks with one of the certificates, and those without any; the latter also for other clients. */
  readonly readChecks: () => Promise<Observation[]>;
}

/**
 * Starts to observe what arrives at the upstream with this id, and the checks with these certificates or without any.
 *
 * @param thumbprints of at most three certificates
 * @throws as {@link openWatch}
 */
export async function openEdgeWatch(
  listeners: Listeners,
  id: string,
  thumbprints: readonly string[],
): Promise<EdgeWatch> {
  const arrivals = await openWatchAt(listeners, `/doctor/upstream/${id}`, isArrival);
  const paths = [...thumbprints, WITHOUT_CERTIFICATE].map((checkId) => `/doctor/checks/${checkId}`);
  const checks = await Promise.all(paths.map((path) => openWatchAt(listeners, path, isObservation)));
  return {
    effectiveConfigs: arrivals.effectiveConfigs,
    restart: async () => void (await Promise.all([arrivals, ...checks].map(({ restart }) => restart()))),
    readArrivals: arrivals.read,
    readChecks: async () => (await Promise.all(checks.map(({ read }) => read()))).flat(),
  };
}

type Listeners = readonly [string, ...string[]];

async function openWatchAt<Item>(
  listeners: Listeners,
  path: string,
  isItem: (value: unknown) => value is Item,
): Promise<Watch<Item>> {
  const start = async (listener: string) => effectiveConfigIn(listener, await send(listener, 'PUT', path));
  const read = async (listener: string) => observationsIn(listener, await send(listener, 'GET', path), isItem);
  const [first, ...others] = listeners;
  return {
    effectiveConfigs: [await start(first), ...(await Promise.all(others.map(start)))],
    restart: async () => void (await Promise.all(listeners.map(start))),
    read: async () => (await Promise.all(listeners.map(read))).flat(),
  };
}

interface ListenerResponse {
  readonly status: number;
  readonly body: unknown;
}

function send(listener: string, method: string, path: string): Promise<ListenerResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<ListenerResponse>();
  const outgoing = request({ ...addressOf(listener), method, path, timeout: TIMEOUT_MS }, async (response) => {
    const chunks: Uint8Array[] = await response.toArray().catch(() => []);
    resolve({ status: response.statusCode ?? 0, body: parseJson(Buffer.concat(chunks).toString('utf8')) });
  });
  outgoing.once('timeout', () => outgoing.destroy(new Error(`no response within ${TIMEOUT_MS / 1000} s`)));
  outgoing.once('error', (error) => reject(unreachable(listener, error)));
  outgoing.end();
  return promise;
}

function addressOf(listener: string) {
  if (listener.startsWith('unix:')) return { socketPath: listener.slice('unix:'.length) };
  const { hostname, port } = new URL(listener);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(listener: string, thrown: Error): OperatorError {
  const error = firstAttempt(thrown);
  return new OperatorError([
    `cannot reach the operations listener at ${listener}: ${unreachableReason(error) ?? describeOther(error)}; run the ` +
      'doctor on the host of the server, or forward the port (kubectl port-forward pod/NAME 9090) and name it with ' +
      '--operations; the listener may also be off (COUNTERSIGN_OPERATIONS_LISTEN)',
  ]);
}

function describeOther({ code = '', message }: NetworkError): string {
  if (code.startsWith('HPE_')) return `it does not respond with HTTP (${code})`;
  return code === 'ECONNRESET' ? 'it closed the connection (ECONNRESET)' : code || message;
}

function effectiveConfigIn(listener: string, { status, body }: ListenerResponse): EffectiveConfig {
  const config = status === 201 && isObject(body) ? body.effective_config : undefined;
  if (isEffectiveConfig(config)) return config;
  throw notCountersign(listener, status);
}

function observationsIn<Item>(
  listener: string,
  { status, body }: ListenerResponse,
  isItem: (value: unknown) => value is Item,
): Item[] {
  const observations = status === 200 && isObject(body) ? body.observations : undefined;
  if (Array.isArray(observations) && observations.every(isItem)) return observations;
  if (status === 404) {
    throw new OperatorError([
      `${listener} no longer observes this run: the server restarted, or too many doctors run at the same time; try again`,
    ]);
  }
  throw notCountersign(listener, status);
}

function notCountersign(listener: string, status: number): OperatorError {
  if (status === 403) {
    return new OperatorError([
      `${listener} serves the doctor on its own machine only (HTTP 403): run the doctor there, or forward the port ` +
        '(kubectl port-forward pod/NAME 9090, ssh -L) and name 127.0.0.1 with --operations',
    ]);
  }
  return new OperatorError([
    `${listener} is not the operations listener of this version of Countersign (HTTP ${status}): ` +
      'name it with --operations; it is the value of COUNTERSIGN_OPERATIONS_LISTEN',
  ]);
}

/** Checks as much as distinguishes this version from other programs and other versions. */
function isEffectiveConfig(value: unknown): value is EffectiveConfig {
  if (!isObject(value) || !isObject(value.verification) || !Array.isArray(value.verification.fields)) return false;
  if (!headerFormatNames.some((name) => name === value.terminator)) return false;
  return [value.issuer, value.mtls_url, value.certificate_header, value.proxy_trust, value.listens_on].every(isString);
}

function isObservation(value: unknown): value is Observation {
  if (!isObject(value) || !isObject(value.outcome) || !isObject(value.proxy_trust)) return false;
  return isString(value.request) && isString(value.peer) && Array.isArray(value.fields);
}

function isArrival(value: unknown): value is Arrival {
  return isObject(value) && isObject(value.token) && isString(value.request) && Array.isArray(value.fields);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

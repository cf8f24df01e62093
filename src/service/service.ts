import { setTimeout as delay } from 'node:timers/promises';
import { createOperationsApp } from '../app.ts';
import { RecentExpiries } from '../authentication/recent-expiries.ts';
import type { Config } from '../config.ts';
import { addCheckMetrics } from '../edge/check-metrics.ts';
import { TokenRates } from '../grants/token-rates.ts';
import { honoApplication } from '../http/application.ts';
import type { ListenAddress } from '../http/listen-address.ts';
import { createAuditLog } from '../observability/audit.ts';
import type { Logs } from '../observability/logs.ts';
import { createRecentDecisions, type RecentDecisions } from '../observability/recent-decisions.ts';
import { addRequestMetrics } from '../observability/request-metrics.ts';
import { createAccessTokenVerifier } from '../tokens/access-token-verifier.ts';
import { contextReader, createEdge, createObservationStores, createPublicApp, type Shared } from './applications.ts';
import { certificateReaders } from './certificate-readers.ts';
import { addConnectionMetrics } from './connection-metrics.ts';
import { openDependencies } from './dependencies.ts';
import { effectiveConfigOf } from './effective-config.ts';
import { createListenerLimits } from './listener-limits.ts';
import { listenerOpener } from './listeners.ts';
import { addExpiryMetrics } from './pki-metrics.ts';
import { type LiveProxyTrust, watchProxyTrust } from './proxy-trust.ts';
import { reloadAll } from './reload.ts';
import { createServiceMetrics } from './service-metrics.ts';
import { watchSigningKeys } from './signing-key-changes.ts';
import { logOpened, logStarting } from './startup-log.ts';
import { openTracer } from './tracer.ts';

/** A running server. */
export interface Service {
  readonly address: ListenAddress;
  /** Undefined if the operations listener is off. */
  readonly operationsAddress: ListenAddress | undefined;
  /** Undefined if there is no edge listener. */
  readonly edgeAddress: ListenAddress | undefined;
  /**
   * Reloads everything that is watched, fetches the CRLs behind URLs, and opens the audit file again. Resolves when that is
   * done; what fails is logged, and stays as it was.
   */
  reload(): Promise<void>;
  /** The latest decisions; undefined if the operations listener is off. */
  readonly decisions: RecentDecisions | undefined;
  /**
   * Is no longer ready, but serves everything for the configured delay. Then accepts no new requests, finishes those in flight,
   * and closes everything.
   */
  close(): Promise<void>;
}

/**
 * Opens everything that the configuration names, logs the effective configuration, and listens.
 *
 * @throws {OperatorError} with every problem of the key, the clients and the CRLs, or if an address cannot be listened on
 */
export async function startService(configured: Config, logs: Logs): Promise<Service> {
  const { log } = logs;
  logStarting(configured, log);
  await using opened = new AsyncDisposableStack();
  const dependencies = await openDependencies(configured, log, opened);
  const { watched } = dependencies;
  const proxyTrust = watchProxyTrust(configured, { watched, log });
  const config = withLiveTrust(configured, proxyTrust);
  logOpened(dependencies, log);
  opened.defer(watchSigningKeys(dependencies.keyring, log));

  const { registry, keyring, revocations } = dependencies;
  let isClosing = false;
  const notReadyReason = () =>
    isClosing ? 'shutting down' : (logs.problem ?? keyring.notReadyReason ?? registry.notReadyReason);
  const metrics = createServiceMetrics({ config, dependencies, logs, notReadyReason });
  const requestMetrics = addRequestMetrics(metrics);
  const { operationsListen } = config;
  // Only the operations listener can start observations: without it, requests bypass the observer altogether.
  const observed = operationsListen && createObservationStores();
  const decisions = operationsListen && createRecentDecisions(Date.now);
  const auditLog = createAuditLog(logs.audit, requestMetrics, () => logs.written(), {
    recent: decisions,
    tracer: await openTracer(config.tracing, log, opened),
  });
  const createReader = certificateReaders(dependencies, config.maxRequestsInFlight, log);
  const { issuer } = config;
  const accessTokens = createAccessTokenVerifier({ issuer, keyring, revocations });
  const expiries = new RecentExpiries();
  addExpiryMetrics(metrics, expiries);
  const tokenRates = new TokenRates();
  const shared: Shared = {
    issuer,
    registry,
    keyring,
    tokenRates,
    accessTokens,
    revocations,
    expiries,
    auditLog,
    now: Date.now,
  };
  const app = createPublicApp(config, shared, createReader, observed?.observations);
  const effectiveConfig = effectiveConfigOf(config);
  const operationsApp =
    observed &&
    decisions &&
    createOperationsApp({
      ...observed,
      decisions,
      accessTokens,
      effectiveConfig,
      metrics,
      notReadyReason,
      now: Date.now,
    });

  const { edge } = config;
  const edgeApplication =
    edge && createEdge(edge, shared, createReader, addCheckMetrics(metrics, requestMetrics), observed?.checks);

  const open = listenerOpener({ log, auditLog, requests: requestMetrics }, opened);
  const operations =
    operationsListen &&
    operationsApp &&
    (await open('operations_listening', operationsListen, honoApplication(operationsApp.fetch)));
  const limits = createListenerLimits(config, metrics, log);
  const limited = ({ terminator }: Pick<Config, 'terminator'>) => ({
    ...limits,
    readContext: contextReader(terminator),
  });
  const edgeListener =
    edge && edgeApplication && (await open('edge_listening', edge.listen, edgeApplication, limited(edge)));
  const listener = await open('listening', config.listen, honoApplication(app.fetch), limited(config));
  addConnectionMetrics(metrics, { public: listener, edge: edgeListener, operations });
  for (const each of [edgeListener, listener]) if (each) proxyTrust.follow(each);

  const running = opened.move();
  const close = async () => {
    isClosing = true;
    for (const each of [listener, edgeListener]) each?.endKeepAlive();
    await delay(config.drainDelay);
    // Together, since each may take its time; the operations listener goes on to report why the server is not ready.
    await Promise.all([listener.close(), edgeListener?.close()]);
    await running.disposeAsync();
  };
  return {
    address: listener.address,
    operationsAddress: operations?.address,
    edgeAddress: edgeListener?.address,
    reload: () => reloadAll(dependencies, logs),
    decisions,
    close,
  };
}

function withLiveTrust(config: Config, { terminator }: LiveProxyTrust): Config {
  const { edge } = config;
  return {
    ...config,
    terminator: terminator(config.terminator),
    edge: edge && { ...edge, terminator: terminator(edge.terminator) },
  };
}

import { type App, type AppDependencies, createApp } from '../app.ts';
import type { Config } from '../config.ts';
import type { Arrival } from '../doctor/observer/arrival.ts';
import { createObservationStore, type ObservationStore } from '../doctor/observer/observation-store.ts';
import { type Observation, withCheckObserver, withObserver } from '../doctor/observer/observe.ts';
import type { CheckCounter } from '../edge/check-metrics.ts';
import { createEdgeApplication } from '../edge/edge-application.ts';
import type { Application } from '../http/application.ts';
import type { EdgeConfig } from '../settings/edge.ts';
import { type ContextReader, readRequestContext } from '../terminator/request-context.ts';
import type { Terminator } from '../terminator/terminator.ts';
import type { ReaderFactory } from './certificate-readers.ts';

/** What `countersign doctor` observes at each listener, and at the upstream of a test route. */
export function createObservationStores() {
  return {
    observations: createObservationStore<Observation>(Date.now),
    checks: createObservationStore<Observation>(Date.now),
    arrivals: createObservationStore<Arrival>(Date.now),
  };
}

/** What every endpoint that issues or verifies tokens uses. */
export type Shared = Omit<AppDependencies, 'mtlsUrl' | 'listensOn' | 'readContext' | 'readCertificate'>;

/** @param observations undefined without an operations listener, which alone can start them */
export function createPublicApp(
  { mtlsUrl, listen, terminator }: Config,
  shared: Shared,
  createReader: ReaderFactory,
  observations: ObservationStore<Observation> | undefined,
): App {
  const readCertificate = createReader(terminator);
  return createApp({
    ...shared,
    mtlsUrl,
    listensOn: listen.kind,
    readContext: contextReader(terminator),
    readCertificate: observations ? withObserver(readCertificate, terminator, observations) : readCertificate,
  });
}

/** @param checks as for {@link createPublicApp} */
export function createEdge(
  { listen, terminator }: EdgeConfig,
  shared: Shared,
  createReader: ReaderFactory,
  countCheck: CheckCounter,
  checks: ObservationStore<Observation> | undefined,
): Application {
  const readCertificate = createReader(terminator);
  return createEdgeApplication({
    ...shared,
    countCheck,
    listensOn: listen.kind,
    readContext: contextReader(terminator),
    readCertificate: checks ? withCheckObserver(readCertificate, terminator, checks) : readCertificate,
  });
}

/** What the terminator states of a request, if its proxy is trusted. */
export function contextReader({ proxyTrust }: Terminator): ContextReader {
  return (request) => readRequestContext(request, proxyTrust);
}

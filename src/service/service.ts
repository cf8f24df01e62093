import { type App, createApp, createOperationsApp } from '../app.ts';
import { type PresentCertificate, presentCertificate } from '../authentication/client-certificate.ts';
import type { Registry } from '../clients/registry/registry.ts';
import { addRegistryMetrics } from '../clients/registry/registry-telemetry.ts';
import type { Config } from '../config.ts';
import type { Belief } from '../doctor/observer/endpoint.ts';
import { createObservations } from '../doctor/observer/observations.ts';
import { type Observation, observed } from '../doctor/observer/observe.ts';
import { describeListenAddress, type ListenAddress } from '../http/listen-address.ts';
import { type HttpListener, openHttpListener } from '../http/listener.ts';
import type { UnreadableRequest } from '../http/malformed-requests.ts';
import { type Audit, createAudit } from '../observability/audit.ts';
import type { Log } from '../observability/log.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import { StartupError } from '../operator-error.ts';
import type { Revocation } from '../pki/crl/crl-checker.ts';
import { createChainVerifier, type PresentedChain } from '../pki/path/verify-chain.ts';
import { describeBelief } from '../settings/describe.ts';
import { createCertificateReader } from '../terminator/certificate-reader.ts';
import { watchOtherCarriers } from '../terminator/foreign-headers.ts';
import type { Terminator } from '../terminator/terminator.ts';
import { readSigningKey, type SigningKey, SigningKeyError } from '../tokens/signing-key.ts';
import { addAuthorityMetrics, type WatchedTrust, watchClientCa } from './client-ca.ts';
import { openConfiguredRevocation } from './crls.ts';
import { openRegistry } from './registry.ts';

/** A running server. */
export interface Service {
  readonly address: ListenAddress;
  /** Where the operations listener is; undefined where it is off. */
  readonly operationsAddress: ListenAddress | undefined;
  /** Finishes the requests that run, takes no new ones, and lets go of everything. */
  close(): Promise<void>;
}

/**
 * Builds everything from the configuration, opens the listeners and says what it believes.
 *
 * @throws {StartupError} with every fault of the key and the clients, or that an address cannot be listened on
 */
export async function startService(config: Config, log: Log, audit: Audit = createAudit(log)): Promise<Service> {
  const parts = await build(config, log);
  const { signingKey, registry } = parts;
  let isClosing = false;
  const observations = createObservations<Observation>(Date.now);
  const app = createApp({
    issuer: config.issuer,
    mtlsUrl: config.mtlsUrl,
    listensOn: config.listen.kind,
    presentCertificate: observed(certificatePresenter(config, parts, log), config.terminator, observations),
    registry,
    signingKey,
    audit,
    now: Date.now,
  });
  const operationsApp = createOperationsApp({
    observations,
    belief: beliefOf(config),
    metrics: metricsOf(parts),
    unready: () => (isClosing ? 'it is shutting down' : registry.unready),
  });
  sayBelief(config, registry, signingKey, log);
  const close: (() => Promise<void>)[] = [() => letGo(parts)];
  const closeAll = async () => {
    isClosing = true;
    for (const closeOne of close.toReversed()) await closeOne();
  };
  try {
    const operations = config.operationsListen && (await openListener(config.operationsListen, operationsApp, log));
    if (operations) {
      close.push(operations.close);
      log.info({ event: 'operations_listening', url: operations.url }, `operations listen on ${operations.url}`);
    }
    const listener = await openListener(config.listen, app, log);
    close.push(listener.close);
    log.info({ event: 'listening', url: listener.url }, `listening on ${listener.url}`);
    return { address: listener.address, operationsAddress: operations?.address, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function certificatePresenter({ terminator }: Config, { trust, revocation }: Parts, log: Log): PresentCertificate {
  const verifyChain = createChainVerifier(trust.current, revocation?.faultOf);
  const source = {
    terminator,
    readCertificate: createCertificateReader(terminator.name),
    verifyChain: (presented: PresentedChain) => verifyChain(presented, Date.now()),
    watchOtherCarriers: watchOtherCarriers(terminator, (header) => sayCarrier(header, terminator, log), Date.now),
  };
  return (request) => presentCertificate(request, source);
}

function metricsOf({ trust, revocation, registry }: Parts): Metrics {
  const metrics = createMetrics();
  addAuthorityMetrics(metrics, trust.current, revocation);
  addRegistryMetrics(metrics, registry);
  return metrics;
}

function beliefOf({ issuer, mtlsUrl, terminator, hopDescription, listen }: Config): Belief {
  return {
    issuer,
    mtls_url: mtlsUrl,
    terminator: terminator.name,
    certificate_header: terminator.certificateHeader,
    chain_header: terminator.chainHeader ?? null,
    verification: terminator.verification,
    hop: hopDescription,
    listens_on: describeListenAddress(listen),
  };
}

/** What is opened before there is anybody to serve. */
interface Parts extends Opened {
  readonly signingKey: SigningKey;
  readonly registry: Registry;
}

/** All of it, or every fault. */
async function build(config: Config, log: Log): Promise<Parts> {
  const faults: string[] = [];
  const collect = (error: unknown): undefined => {
    if (error instanceof StartupError) faults.push(...error.faults);
    else if (error instanceof SigningKeyError)
      faults.push(`COUNTERSIGN_${config.signingKey.setting}: ${error.message}`);
    else throw error;
  };
  let revocation: Revocation | undefined;
  const trust = watchClientCa(config.clientCa, log, () => revocation?.reload());
  const signingKey = await readSigningKey(config.signingKey.text, config.signingKey.algorithm).catch(collect);
  const registry = await openRegistry(config, log).catch(collect);
  revocation = await openConfiguredRevocation(config, trust.current, log).catch(collect);
  if (signingKey && registry && faults.length === 0) return { signingKey, registry, trust, revocation };
  await letGo({ registry, trust, revocation });
  throw new StartupError(faults);
}

interface Opened {
  readonly registry: Registry | undefined;
  readonly trust: WatchedTrust;
  readonly revocation: Revocation | undefined;
}

async function letGo({ registry, trust, revocation }: Opened): Promise<void> {
  trust.stop();
  revocation?.stop();
  await registry?.close();
}

/** One line with all that the server takes for true. */
function sayBelief(config: Config, registry: Registry, signingKey: SigningKey, log: Log): void {
  const { terminator, issuer, warnings, unknownSettings } = config;
  const signing = `signing with ${signingKey.algorithm} ${signingKey.keyId}`;
  const message = `${describeBelief(config)}; clients: ${registry.description}; ${signing}`;
  log.info({ event: 'starting', issuer, terminator: terminator.name }, message);
  for (const warning of warnings) log.warn({ event: 'setting_warning' }, warning);
  for (const name of unknownSettings) {
    log.warn({ event: 'unknown_setting', name }, `${name} is not a setting of this version, and has no effect`);
  }
}

function sayCarrier(header: string, { name, certificateHeader }: Terminator, log: Log): void {
  log.warn(
    { event: 'other_certificate_header', header, configured: certificateHeader },
    `the proxy passes ${header} on, which is never read: the server is configured for ${name} in ${certificateHeader}. ` +
      'Either clients send it and the proxy should remove it, or one of the two is configured for the wrong format',
  );
}

async function openListener(address: ListenAddress, { fetch }: App, log: Log): Promise<HttpListener & { url: string }> {
  const onUnreadable = (request: UnreadableRequest) =>
    log.warn({ event: 'request_unreadable', ...request }, 'request refused unread');
  const listener = await openHttpListener(address, fetch, onUnreadable);
  return { ...listener, url: describeListenAddress(listener.address) };
}

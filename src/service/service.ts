import { type App, createApp, createOperationsApp } from '../app.ts';
import { type ClientCertificateReader, readClientCertificate } from '../authentication/client-certificate.ts';
import type { Registry } from '../clients/registry/registry.ts';
import { addRegistryMetrics } from '../clients/registry/registry-telemetry.ts';
import type { Config } from '../config.ts';
import type { EffectiveConfig } from '../doctor/observer/effective-config.ts';
import { createObservationStore } from '../doctor/observer/observation-store.ts';
import { type Observation, withObserver } from '../doctor/observer/observe.ts';
import { describeListenAddress, type ListenAddress } from '../http/listen-address.ts';
import { type HttpListener, openHttpListener } from '../http/listener.ts';
import type { MalformedRequest } from '../http/malformed-requests.ts';
import { createAudit } from '../observability/audit.ts';
import type { Log } from '../observability/log.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import { OperatorError } from '../operator-error.ts';
import type { CrlChecker } from '../pki/crl/crl-checker.ts';
import { createChainVerifier, type PresentedChain } from '../pki/path/verify-chain.ts';
import { describeEffectiveConfig } from '../settings/describe.ts';
import { describeUnknownSetting } from '../settings/unknown-settings.ts';
import { createCertificateReader } from '../terminator/certificate-reader.ts';
import { detectForeignHeaders } from '../terminator/foreign-headers.ts';
import type { Terminator } from '../terminator/terminator.ts';
import { readSigningKey, type SigningKey, SigningKeyError } from '../tokens/signing-key.ts';
import { addCaMetrics, type WatchedTrust, watchClientCa } from './client-ca.ts';
import { openCrls } from './crls.ts';
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
 * @throws {OperatorError} with every fault of the key and the clients, or that an address cannot be listened on
 */
export async function startService(config: Config, log: Log): Promise<Service> {
  const parts = await build(config, log);
  const { signingKey, registry } = parts;
  const metrics = metricsOf(parts);
  let isClosing = false;
  const readCertificate = certificatePresenter(config, parts, log);
  // Without an operations listener nothing can be observed, and requests do not pass the observer at all.
  const observations = config.operationsListen && createObservationStore<Observation>(Date.now);
  const app = createApp({
    issuer: config.issuer,
    mtlsUrl: config.mtlsUrl,
    listensOn: config.listen.kind,
    readCertificate: observations ? withObserver(readCertificate, config.terminator, observations) : readCertificate,
    registry,
    signingKey,
    audit: createAudit(log, metrics),
    now: Date.now,
  });
  const operationsApp =
    observations &&
    createOperationsApp({
      observations,
      effectiveConfig: effectiveConfigOf(config),
      metrics,
      notReadyReason: () => (isClosing ? 'it is shutting down' : registry.notReadyReason),
    });
  logStartup(config, registry, signingKey, log);
  const close: (() => Promise<void>)[] = [() => closeOpened(parts)];
  const closeAll = async () => {
    isClosing = true;
    for (const closeOne of close.toReversed()) await closeOne();
  };
  try {
    const { operationsListen } = config;
    const operations = operationsListen && operationsApp && (await openListener(operationsListen, operationsApp, log));
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

function certificatePresenter({ terminator }: Config, { trust, crls }: Parts, log: Log): ClientCertificateReader {
  const verifyChain = createChainVerifier(trust.current, crls?.violation);
  const source = {
    terminator,
    readCertificate: createCertificateReader(terminator.name),
    verifyChain: (presented: PresentedChain) => verifyChain(presented, Date.now()),
    detectForeignHeaders: detectForeignHeaders(
      terminator,
      (header) => logForeignHeader(header, terminator, log),
      Date.now,
    ),
  };
  return (request) => readClientCertificate(request, source);
}

function metricsOf({ trust, crls, registry }: Parts): Metrics {
  const metrics = createMetrics();
  addCaMetrics(metrics, trust.current, crls);
  addRegistryMetrics(metrics, registry);
  return metrics;
}

function effectiveConfigOf({ issuer, mtlsUrl, terminator, proxyTrustDescription, listen }: Config): EffectiveConfig {
  return {
    issuer,
    mtls_url: mtlsUrl,
    terminator: terminator.name,
    certificate_header: terminator.certificateHeader,
    chain_header: terminator.chainHeader ?? null,
    verification: terminator.verification,
    proxy_trust: proxyTrustDescription,
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
    if (error instanceof OperatorError) faults.push(...error.problems);
    else if (error instanceof SigningKeyError)
      faults.push(`COUNTERSIGN_${config.signingKey.setting}: ${error.message}`);
    else throw error;
  };
  let crls: CrlChecker | undefined;
  const trust = watchClientCa(config.clientCa, log, () => crls?.reload());
  const signingKey = await readSigningKey(config.signingKey.text, config.signingKey.algorithm).catch(collect);
  const registry = await openRegistry(config, log).catch(collect);
  crls = await openCrls(config, trust.current, log).catch(collect);
  if (signingKey && registry && faults.length === 0) return { signingKey, registry, trust, crls };
  await closeOpened({ registry, trust, crls });
  throw new OperatorError(faults);
}

interface Opened {
  readonly registry: Registry | undefined;
  readonly trust: WatchedTrust;
  readonly crls: CrlChecker | undefined;
}

async function closeOpened({ registry, trust, crls }: Opened): Promise<void> {
  trust.stop();
  crls?.stop();
  await registry?.close();
}

/** One line with all that the server takes for true. */
function logStartup(config: Config, registry: Registry, signingKey: SigningKey, log: Log): void {
  const { terminator, issuer, warnings, unknownSettings } = config;
  const signing = `signing with ${signingKey.algorithm} ${signingKey.keyId}`;
  const message = `${describeEffectiveConfig(config)}; clients: ${registry.description}; ${signing}`;
  log.info({ event: 'starting', issuer, terminator: terminator.name }, message);
  for (const warning of warnings) log.warn({ event: 'setting_warning' }, warning);
  for (const setting of unknownSettings) {
    log.warn({ event: 'unknown_setting', ...setting }, describeUnknownSetting(setting));
  }
}

function logForeignHeader(header: string, { name, certificateHeader }: Terminator, log: Log): void {
  log.warn(
    { event: 'foreign_certificate_header', header, configured: certificateHeader },
    `the proxy passes ${header} on, which is never read: the server is configured for ${name} in ${certificateHeader}. ` +
      'Either clients send it and the proxy should remove it, or one of the two is configured for the wrong format',
  );
}

async function openListener(address: ListenAddress, { fetch }: App, log: Log): Promise<HttpListener & { url: string }> {
  const onUnreadable = (request: MalformedRequest) =>
    log.warn({ event: 'request_malformed', ...request }, 'request refused unread');
  const listener = await openHttpListener(address, fetch, onUnreadable);
  return { ...listener, url: describeListenAddress(listener.address) };
}

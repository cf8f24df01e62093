import { type App, createApp, createOperationsApp } from './app.ts';
import { createChainVerifier, type PresentedChain } from './certification-path/chain-verifier.ts';
import type { Client } from './clients/client.ts';
import { type ClientsFile, ClientsFileError, describeFinding, readClientsFile } from './clients/clients-file.ts';
import { createMemoryRegistry } from './clients/memory-registry.ts';
import { createRedisRegistry } from './clients/redis-registry.ts';
import type { Registry } from './clients/registry.ts';
import type { Config } from './config.ts';
import { describeBelief } from './configuration/belief.ts';
import { type WatchedTrust, watchClientCa } from './configuration/watch-client-ca.ts';
import type { Belief } from './endpoints/doctor.ts';
import { type Observation, observed } from './endpoints/observe-forwarding.ts';
import { type PresentCertificate, presentCertificate } from './endpoints/present-certificate.ts';
import { type Audit, createAudit } from './operations/audit.ts';
import { type HttpListener, openHttpListener } from './operations/http-listener.ts';
import { describeListenAddress, type ListenAddress } from './operations/listen-address.ts';
import type { Log } from './operations/log.ts';
import { createObservations } from './operations/observations.ts';
import { StartupError } from './operations/startup-error.ts';
import { createCertificateReader } from './terminator/certificate-reader.ts';
import { watchOtherCarriers } from './terminator/other-carriers.ts';
import type { Terminator } from './terminator/terminator.ts';
import { readSigningKey, type SigningKey, SigningKeyError } from './tokens/signing-key.ts';

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
  const { signingKey, registry } = await build(config, log);
  const trust = watchClientCa(config.clientCa, log);
  const observations = createObservations<Observation>(Date.now);
  const app = createApp({
    issuer: config.issuer,
    mtlsUrl: config.mtlsUrl,
    listensOn: config.listen.kind,
    presentCertificate: observed(certificatePresenter(config, trust, log), config.terminator, observations),
    registry,
    signingKey,
    audit,
    now: Date.now,
  });
  const operationsApp = createOperationsApp({ observations, belief: beliefOf(config) });
  sayBelief(config, registry, signingKey, log);
  const close: (() => Promise<void>)[] = [() => registry.close(), async () => trust.stop()];
  const closeAll = async () => {
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

function certificatePresenter({ terminator }: Config, trust: WatchedTrust, log: Log): PresentCertificate {
  const verifyChain = createChainVerifier(trust.current);
  const source = {
    terminator,
    readCertificate: createCertificateReader(terminator.name),
    verifyChain: (presented: PresentedChain) => verifyChain(presented, Date.now()),
    watchOtherCarriers: watchOtherCarriers(terminator, (header) => sayCarrier(header, terminator, log), Date.now),
  };
  return (request) => presentCertificate(request, source);
}

function beliefOf({ issuer, mtlsUrl, terminator, hopDescription }: Config): Belief {
  return {
    issuer,
    mtls_url: mtlsUrl,
    terminator: terminator.name,
    certificate_header: terminator.certificateHeader,
    chain_header: terminator.chainHeader ?? null,
    verification: terminator.verification,
    hop: hopDescription,
  };
}

async function build(config: Config, log: Log): Promise<{ signingKey: SigningKey; registry: Registry }> {
  const faults: string[] = [];
  const collect = (error: unknown) => {
    if (error instanceof StartupError) faults.push(...error.faults);
    else if (error instanceof SigningKeyError) faults.push(`COUNTERSIGN_SIGNING_KEY: ${error.message}`);
    else throw error;
  };
  const signingKey = await readSigningKey(config.signingKey.text, config.signingKey.algorithm).catch(collect);
  const registry = await openRegistry(config, log).catch(collect);
  if (signingKey && registry) return { signingKey, registry };
  await registry?.close();
  throw new StartupError(faults);
}

async function openRegistry(config: Config, log: Log): Promise<Registry> {
  const { clients, policy } = config;
  if (clients.store === 'memory') return readMemoryRegistry(clients.file, config, log);
  return createRedisRegistry({
    address: clients.address,
    keyPrefix: clients.keyPrefix,
    policy,
    now: Date.now,
    onConnection: (problem) => {
      if (problem === undefined) log.info({ event: 'redis_connected' }, 'Redis is connected');
      else log.error({ event: 'redis_unreachable', reason: problem }, 'Redis cannot be reached');
    },
  });
}

function readMemoryRegistry(file: string, { policy, terminator }: Config, log: Log): Registry {
  const { clients, faults, warnings } = readOrExplain(file, policy);
  for (const warning of warnings) log.warn({ event: 'client_warning', ...warning }, describeFinding(file, warning));
  const problems = faults.map((fault) => describeFinding(file, fault));
  problems.push(...unverifiable(clients, terminator));
  if (problems.length > 0) throw new StartupError(problems);
  return createMemoryRegistry(clients, file);
}

/** Why clients that are known by a name could never authenticate; one of each kind is enough to say. */
function unverifiable(clients: readonly Client[], { verification }: Terminator): string[] {
  const named = clients.flatMap(({ clientId, authentication }) =>
    authentication.method === 'tls_client_auth' ? [{ clientId, ...authentication }] : [],
  );
  const [first] = named;
  if (first && verification.by === 'nobody') {
    return [`client ${first.clientId} uses tls_client_auth, and nobody verifies its chain: ${verification.mend}`];
  }
  const pinned = named.find(({ authorities }) => authorities.length > 0);
  if (!pinned || verification.by === 'countersign') return [];
  return [
    `client ${pinned.clientId} has tls_client_auth_ca, which needs COUNTERSIGN_CLIENT_CA_FILE: no path is known otherwise`,
  ];
}

function readOrExplain(file: string, policy: Config['policy']): ClientsFile {
  try {
    return readClientsFile(file, policy, Date.now());
  } catch (error) {
    if (error instanceof ClientsFileError) throw new StartupError([`COUNTERSIGN_CLIENTS_FILE: ${error.message}`]);
    throw error;
  }
}

/** One line with all that the server takes for true. */
function sayBelief(
  { terminator, hopDescription, clientCa, issuer, unknownSettings }: Config,
  registry: Registry,
  signingKey: SigningKey,
  log: Log,
): void {
  const signing = `signing with ${signingKey.algorithm} ${signingKey.keyId}`;
  const message = `${describeBelief(terminator, hopDescription, clientCa)}; clients: ${registry.description}; ${signing}`;
  log.info({ event: 'starting', issuer, terminator: terminator.name }, message);
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
  const onUnreadable = (reason: string) => log.warn({ event: 'request_unreadable', reason }, 'request refused unread');
  const listener = await openHttpListener(address, fetch, onUnreadable);
  return { ...listener, url: describeListenAddress(listener.address) };
}

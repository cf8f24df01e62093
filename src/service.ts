import { createApp } from './app.ts';
import { type ClientsFile, ClientsFileError, describeFinding, readClientsFile } from './clients/clients-file.ts';
import { createMemoryRegistry } from './clients/memory-registry.ts';
import { createRedisRegistry } from './clients/redis-registry.ts';
import type { Registry } from './clients/registry.ts';
import type { Config } from './config.ts';
import { type Audit, createAudit } from './operations/audit.ts';
import { type HttpListener, openHttpListener } from './operations/http-listener.ts';
import { describeListenAddress, type ListenAddress } from './operations/listen-address.ts';
import type { Log } from './operations/log.ts';
import { StartupError } from './operations/startup-error.ts';
import { createCertificateReader } from './terminator/certificate-reader.ts';
import { readSigningKey, type SigningKey, SigningKeyError } from './tokens/signing-key.ts';

/** A running server. */
export interface Service {
  readonly address: ListenAddress;
  /** Finishes the requests that run, takes no new ones, and lets go of everything. */
  close(): Promise<void>;
}

/**
 * Builds everything from the configuration, opens the listener and says what it believes.
 *
 * @throws {StartupError} with every fault of the key and the clients, or that the address cannot be listened on
 */
export async function startService(config: Config, log: Log, audit: Audit = createAudit(log)): Promise<Service> {
  const { signingKey, registry } = await build(config, log);
  const app = createApp({
    issuer: config.issuer,
    mtlsUrl: config.mtlsUrl,
    listensOn: config.listen.kind,
    certificates: {
      terminator: config.terminator,
      readCertificate: createCertificateReader(config.terminator.format),
    },
    registry,
    signingKey,
    audit,
    now: Date.now,
  });
  sayBelief(config, registry, signingKey, log);
  const listener = await openListener(config, app.fetch, registry, log);
  return {
    address: listener.address,
    close: async () => {
      await listener.close();
      await registry.close();
    },
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

function readMemoryRegistry(file: string, { policy, terminator, belief }: Config, log: Log): Registry {
  const { clients, faults, warnings } = readOrExplain(file, policy);
  for (const warning of warnings) log.warn({ event: 'client_warning', ...warning }, describeFinding(file, warning));
  const problems = faults.map((fault) => describeFinding(file, fault));
  const unverifiable = clients.find(({ authentication }) => authentication.method === 'tls_client_auth');
  if (unverifiable && terminator.verdictHeader === undefined) {
    problems.push(
      `COUNTERSIGN_VERDICT_HEADER is missing: client ${unverifiable.clientId} uses tls_client_auth, and nobody ` +
        `verifies its chain: the format ${belief.format} carries no verdict`,
    );
  }
  if (problems.length > 0) throw new StartupError(problems);
  return createMemoryRegistry(clients, file);
}

function readOrExplain(file: string, policy: Config['policy']): ClientsFile {
  try {
    return readClientsFile(file, policy, Date.now());
  } catch (error) {
    if (error instanceof ClientsFileError) throw new StartupError([`COUNTERSIGN_CLIENTS_FILE: ${error.message}`]);
    throw error;
  }
}

/** One line with all that the server takes for true about what stands in front of it. */
function sayBelief(config: Config, registry: Registry, signingKey: SigningKey, log: Log): void {
  const { terminator, belief, issuer } = config;
  const verdict = terminator.verdictHeader ? `${terminator.verdictHeader}=SUCCESS` : 'none (self-signed clients only)';
  const certificate = `client certificate: ${belief.format} in ${terminator.certificateHeader}`;
  const signing = `signing with ${signingKey.algorithm} ${signingKey.keyId}`;
  const message = `${certificate}, verdict ${verdict}, ${belief.hop}; clients: ${registry.description}; ${signing}`;
  log.info({ event: 'starting', issuer, terminator: belief.format }, message);
  for (const name of config.unknownSettings) {
    log.warn({ event: 'unknown_setting', name }, `${name} is not a setting of this version, and has no effect`);
  }
}

async function openListener(
  config: Config,
  fetch: ReturnType<typeof createApp>['fetch'],
  registry: Registry,
  log: Log,
): Promise<HttpListener> {
  const onUnreadable = (reason: string) => log.warn({ event: 'request_unreadable', reason }, 'request refused unread');
  try {
    const listener = await openHttpListener(config.listen, fetch, onUnreadable);
    const url = describeListenAddress(listener.address);
    log.info({ event: 'listening', url }, `listening on ${url}`);
    return listener;
  } catch (error) {
    await registry.close();
    throw error;
  }
}

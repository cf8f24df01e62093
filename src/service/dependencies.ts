import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import type { Registry } from '../clients/registry/registry.ts';
import type { Config } from '../config.ts';
import { ConfigurationError, OperatorError } from '../errors/operator-error.ts';
import type { Log } from '../observability/log.ts';
import type { CrlChecker } from '../pki/crl/crl-checker.ts';
import type { TrustStore } from '../pki/path/trust-store.ts';
import { Suspicion } from '../redis/suspicion.ts';
import type { Keyring } from '../tokens/keyring/keyring.ts';
import type { ObservedRevocations } from '../tokens/revocation/redis-revocations.ts';
import { type LiveTrustStore, watchClientCa } from './client-ca.ts';
import { openCrls } from './crls.ts';
import { openKeyring } from './keyring.ts';
import { watchRedisFiles } from './redis-files.ts';
import { openRegistry } from './registry.ts';
import { openRevocations } from './revocations.ts';
import { announcedKeys, openTokenStore } from './token-store.ts';
import { createWatchedFiles, type WatchedFiles } from './watched-files.ts';

/** What the listeners need before they can serve a request. */
export interface Dependencies {
  /** What is loaded again when its files change. */
  readonly watched: WatchedFiles;
  /** The CA certificates in use; another object when they have changed. */
  readonly currentTrust: () => TrustStore;
  readonly keyring: Keyring;
  readonly registry: Registry;
  /** Undefined without Redis. */
  readonly revocations: ObservedRevocations | undefined;
  /** Undefined if CRLs are not checked. */
  readonly crls: CrlChecker | undefined;
}

/**
 * Opens everything, and defers closing it to `opened`.
 *
 * @throws {ConfigurationError} with the problems of the signing key, the clients and the CRLs, all at once
 */
export async function openDependencies(config: Config, log: Log, opened: AsyncDisposableStack): Promise<Dependencies> {
  const problems: string[] = [];
  const collect = (error: unknown): undefined => {
    if (!(error instanceof OperatorError)) throw error;
    problems.push(...error.problems);
  };
  let crls: CrlChecker | undefined;
  const watched = createWatchedFiles();
  opened.defer(() => watched.stop());
  const trust = watchClientCa(config.clientCa, watched, log, () => void crls?.reload());
  const clients = config.clients.store === 'redis' ? watchRedisFiles(config.clients, watched, log) : config.clients;
  // Beside the connection of the registry: an attempt to connect may take seconds.
  const announced = clients.store === 'redis' ? announcedKeys(clients.keyPrefix) : undefined;
  const suspicion = new Suspicion();
  const connecting = clients.store === 'redis' ? openTokenStore(clients, announced, suspicion) : undefined;
  opened.defer(async () => (await connecting)?.connection.close());
  const keyring = await openKeyring(config, connecting, watched, log).catch(collect);
  opened.defer(() => keyring?.close());
  const registry = await openRegistry(
    { ...config, clients, policy: livePolicy(config, trust) },
    { watched, trust, log, announced: Object.values(announced ?? {}), suspicion },
  ).catch(collect);
  opened.defer(() => registry?.close());
  const revocations = await openRevocations(await connecting, clients, log);
  opened.defer(() => revocations?.close());
  crls = await openCrls({ ...config, clients }, trust, watched, log).catch(collect);
  opened.defer(() => crls?.stop());
  if (!keyring || !registry || problems.length > 0) throw new ConfigurationError(problems);
  return { watched, currentTrust: trust.current, keyring, registry, revocations, crls };
}

/** Records are registered by the CA certificates in use. */
function livePolicy({ policy, clientCa }: Config, trust: LiveTrustStore): RegistrationPolicy {
  if (!clientCa) return policy;
  return {
    ...policy,
    get anchors() {
      return trust.current().anchors;
    },
    get intermediates() {
      return trust.current().intermediates;
    },
  };
}

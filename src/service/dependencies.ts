import type { Registry } from '../clients/registry/registry.ts';
import type { Config } from '../config.ts';
import type { Log } from '../observability/log.ts';
import { ConfigurationError, OperatorError } from '../operator-error.ts';
import type { CrlChecker } from '../pki/crl/crl-checker.ts';
import type { SigningKeyConfig } from '../settings/signing-key.ts';
import { readSigningKey, type SigningKey, SigningKeyError } from '../tokens/signing-key.ts';
import { type WatchedTrustStore, watchClientCa } from './client-ca.ts';
import { openCrls } from './crls.ts';
import { openRegistry } from './registry.ts';

/** What the listeners need before they can serve a request. */
export interface Dependencies {
  readonly trust: WatchedTrustStore;
  readonly signingKey: SigningKey;
  readonly registry: Registry;
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
  const trust = watchClientCa(config.clientCa, log, () => void crls?.reload());
  opened.defer(() => trust.stop());
  const signingKey = await loadSigningKey(config.signingKey, log).catch(collect);
  const registry = await openRegistry(config, log).catch(collect);
  opened.defer(() => registry?.close());
  crls = await openCrls(config, trust.current, log).catch(collect);
  opened.defer(() => crls?.stop());
  if (!signingKey || !registry || problems.length > 0) throw new ConfigurationError(problems);
  return { trust, signingKey, registry, crls };
}

async function loadSigningKey({ text, algorithm, setting }: SigningKeyConfig, log: Log): Promise<SigningKey> {
  const warn = (part: string) => log.warn({ event: 'setting_warning' }, `COUNTERSIGN_${setting}: ${part}`);
  try {
    return await readSigningKey(text, algorithm, warn);
  } catch (error) {
    if (!(error instanceof SigningKeyError)) throw error;
    throw new OperatorError([`COUNTERSIGN_${setting}: ${error.message}`]);
  }
}

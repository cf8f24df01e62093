import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { ConfigurationError } from '../errors/operator-error.ts';
import { type ClientCa, chainSettings, readClientCa } from '../settings/client-ca.ts';
import { readRegistrationPolicy } from '../settings/registration-policy.ts';
import { type Environment, Settings } from '../settings/settings.ts';

/** What commands need that only check records. */
export interface RecordsConfig {
  readonly policy: RegistrationPolicy;
  /** The CAs of `COUNTERSIGN_CLIENT_CA_FILE`. */
  readonly clientCa: ClientCa | undefined;
  /** Whether a setting determines who verifies the chains of clients. */
  readonly isVerifierSet: boolean;
  /** Settings that are valid but probably not intended, and parts of their files that are not read. */
  readonly warnings: readonly string[];
}

/** @throws {ConfigurationError} with every problem */
export function readRecordsConfig(env: Environment): RecordsConfig {
  const settings = new Settings(env);
  const clientCa = readClientCa(settings);
  const policy = readRegistrationPolicy(settings, clientCa);
  if (settings.problems.length > 0) throw new ConfigurationError(settings.problems);
  const isVerifierSet = Object.values(chainSettings).some((setting) => settings.has(setting));
  return { policy, clientCa, isVerifierSet, warnings: settings.warnings };
}

import type { RegistrationPolicy } from '../../clients/registration-policy.ts';
import { ConfigurationError } from '../../errors/operator-error.ts';
import { readClientCa } from '../../settings/client-ca.ts';
import { readRequiredRedisConfig } from '../../settings/clients.ts';
import type { RedisConfig } from '../../settings/redis.ts';
import { readRegistrationPolicy } from '../../settings/registration-policy.ts';
import { type Environment, Settings } from '../../settings/settings.ts';

/** What commands need that manage the records in Redis. */
export interface AdministrationConfig {
  readonly redis: RedisConfig;
  readonly policy: RegistrationPolicy;
  /** Settings that are valid but probably not intended, and parts of their files that are not read. */
  readonly warnings: readonly string[];
}

/** @throws {ConfigurationError} with every problem, such as that no Redis is set */
export function readAdministrationConfig(env: Environment): AdministrationConfig {
  const settings = new Settings(env);
  const redis = readRequiredRedisConfig(settings);
  const policy = readRegistrationPolicy(settings, readClientCa(settings));
  if (!redis || settings.problems.length > 0) throw new ConfigurationError(settings.problems);
  return { redis, policy, warnings: settings.warnings };
}

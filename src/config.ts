import type { RegistrationPolicy } from './clients/registration-policy.ts';
import type { ListenAddress } from './http/listen-address.ts';
import { ConfigurationError, OperatorError } from './operator-error.ts';
import type { CrlConfig } from './pki/crl/crl-checker.ts';
import { type ClientCa, chainSettings, readClientCa } from './settings/client-ca.ts';
import { type ClientsConfig, readClientsConfig, readRequiredRedisConfig } from './settings/clients.ts';
import { readCrlConfig } from './settings/crl.ts';
import type { RedisConfig } from './settings/redis.ts';
import { readRegistrationPolicy } from './settings/registration-policy.ts';
import { serverSettings } from './settings/server.ts';
import { type Environment, Settings } from './settings/settings.ts';
import { readSigningKeyConfig, type SigningKeyConfig } from './settings/signing-key.ts';
import { readForwardedFields } from './settings/terminator.ts';
import { readProxyTrust } from './settings/trusted-proxy.ts';
import { findUnknownSettings, type UnknownSetting } from './settings/unknown-settings.ts';
import type { Terminator } from './terminator/terminator.ts';

/** The environment of this process. No other file reads it. */
export const environment: Environment = process.env;

/** The configuration of the server, validated as a whole. */
export interface Config {
  readonly issuer: string;
  readonly mtlsUrl: string;
  readonly listen: ListenAddress;
  /** Undefined if the operations listener is off. */
  readonly operationsListen: ListenAddress | undefined;
  /** Milliseconds. */
  readonly maxQueueDelay: number;
  readonly terminator: Terminator;
  /** The CAs to which the server verifies client certificates; undefined if it does not. */
  readonly clientCa: ClientCa | undefined;
  /** Undefined if CRLs are not checked. */
  readonly crl: CrlConfig | undefined;
  /** How the proxy is authenticated, for the startup log. */
  readonly proxyTrustDescription: string;
  readonly clients: ClientsConfig;
  readonly policy: RegistrationPolicy;
  readonly signingKey: SigningKeyConfig;
  /** Settings that are valid but probably not intended; one sentence each. */
  readonly warnings: readonly string[];
  readonly unknownSettings: readonly UnknownSetting[];
}

/**
 * Reads the configuration of the server from the `COUNTERSIGN_…` variables; docs/configuration.md lists them.
 *
 * @throws {ConfigurationError} with every problem
 */
export function readConfig(env: Environment): Config {
  const settings = new Settings(env);
  const { issuer, mtlsUrl, terminator, maxQueueDelay, clients, signingKey, ...config } = readAllSettings(settings);
  if (!issuer || !mtlsUrl || !terminator || !maxQueueDelay || !clients || !signingKey || settings.problems.length > 0) {
    throw new ConfigurationError(settings.problems);
  }
  const { warnings } = settings;
  return {
    ...config,
    issuer,
    mtlsUrl,
    terminator,
    maxQueueDelay,
    clients,
    signingKey,
    warnings,
    unknownSettings: findUnknownSettings(env),
  };
}

/** Reads every setting even if others are missing or invalid, so that all problems are reported at once. */
function readAllSettings(settings: Settings) {
  const issuer = settings.read(serverSettings.ISSUER);
  const mtlsUrl = settings.read(serverSettings.MTLS_URL) ?? issuer;
  const address = settings.read(serverSettings.LISTEN);
  const operationsAddress = settings.read(serverSettings.OPERATIONS_LISTEN);
  const maxQueueDelay = settings.read(serverSettings.MAX_QUEUE_DELAY);
  const forwarded = readForwardedFields(settings);
  const clientCa = readClientCa(settings);
  const { listen, trust, description } = readProxyTrust(settings, address);
  return {
    issuer,
    mtlsUrl,
    listen,
    operationsListen: operationsAddress === 'off' ? undefined : operationsAddress,
    maxQueueDelay,
    terminator: forwarded && { ...forwarded, proxyTrust: trust },
    clientCa,
    proxyTrustDescription: description,
    clients: readClientsConfig(settings),
    crl: readCrlConfig(settings, clientCa),
    policy: readRegistrationPolicy(settings, clientCa),
    signingKey: readSigningKeyConfig(settings),
  };
}

/** What commands need that only check client records. */
export interface RecordsConfig {
  readonly policy: RegistrationPolicy;
  /** Whether a setting determines who verifies the chains of clients. */
  readonly isVerifierSet: boolean;
  /** Settings that are valid but probably not intended, and parts of their files that are not read. */
  readonly warnings: readonly string[];
}

/** @throws {OperatorError} with every problem */
export function readRecordsConfig(env: Environment): RecordsConfig {
  const settings = new Settings(env);
  const policy = readRegistrationPolicy(settings, readClientCa(settings));
  if (settings.problems.length > 0) throw new OperatorError(settings.problems);
  const isVerifierSet = Object.values(chainSettings).some((setting) => settings.has(setting));
  return { policy, isVerifierSet, warnings: settings.warnings };
}

/** What commands need that manage the clients in Redis. */
export interface AdministrationConfig {
  readonly redis: RedisConfig;
  readonly policy: RegistrationPolicy;
  /** As in {@link RecordsConfig}. */
  readonly warnings: readonly string[];
}

/** @throws {OperatorError} with every problem, such as that no Redis is set */
export function readAdministrationConfig(env: Environment): AdministrationConfig {
  const settings = new Settings(env);
  const redis = readRequiredRedisConfig(settings);
  const policy = readRegistrationPolicy(settings, readClientCa(settings));
  if (!redis || settings.problems.length > 0) throw new OperatorError(settings.problems);
  return { redis, policy, warnings: settings.warnings };
}

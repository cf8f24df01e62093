import type { RegistrationPolicy } from './clients/registration-policy.ts';
import { ConfigurationError } from './errors/operator-error.ts';
import type { ListenAddress } from './http/listen-address.ts';
import { readTracingConfig, type TracingConfig } from './observability/tracing/tracing-config.ts';
import type { CrlConfig } from './pki/crl/crl-checker.ts';
import { type ClientCa, readClientCa } from './settings/client-ca.ts';
import { type ClientsConfig, readClientsConfig } from './settings/clients.ts';
import { readCrlConfig } from './settings/crl.ts';
import { requireDistinctListeners } from './settings/distinct-listeners.ts';
import { type EdgeConfig, readEdgeConfig } from './settings/edge.ts';
import { digestSettings, type EffectiveSettings, readEffectiveSettings } from './settings/effective-settings.ts';
import { type LoggingSettings, readLoggingSettings } from './settings/logging.ts';
import { readRegistrationPolicy } from './settings/registration-policy.ts';
import { serverSettings } from './settings/server.ts';
import { type Environment, Settings } from './settings/settings.ts';
import { type KeyringConfig, readKeyringConfig } from './settings/signing-key.ts';
import { readForwardedFields } from './settings/terminator.ts';
import { type ProxyTrustFiles, readProxyTrust, readProxyTrustFiles } from './settings/trusted-proxy.ts';
import { describeUnknownSetting, findUnknownSettings, type UnknownSetting } from './settings/unknown-settings.ts';
import type { Terminator } from './terminator/terminator.ts';

/** The configuration of the server, validated as a whole. */
export interface Config {
  readonly issuer: string;
  readonly mtlsUrl: string;
  readonly listen: ListenAddress;
  /** Undefined if the operations listener is off. */
  readonly operationsListen: ListenAddress | undefined;
  /** Undefined if there is no edge listener. */
  readonly edge: EdgeConfig | undefined;
  /** Milliseconds. */
  readonly maxQueueDelay: number;
  /** How long to serve everything after the signal to stop, in milliseconds. */
  readonly drainDelay: number;
  readonly logging: LoggingSettings;
  /** Of both listeners together. */
  readonly maxRequestsInFlight: number;
  /** Of each listener. */
  readonly maxConnections: number;
  readonly terminator: Terminator;
  /** The CAs to which the server verifies client certificates; undefined if it does not. */
  readonly clientCa: ClientCa | undefined;
  /** Undefined if CRLs are not checked. */
  readonly crl: CrlConfig | undefined;
  /** How the proxy is authenticated, for the startup log. */
  readonly proxyTrustDescription: string;
  /** Of both listeners. */
  readonly proxyTrustFiles: ProxyTrustFiles;
  readonly clients: ClientsConfig;
  readonly policy: RegistrationPolicy;
  readonly keyring: KeyringConfig;
  /** Undefined if requests are not traced. */
  readonly tracing: TracingConfig | undefined;
  /** Settings that are valid but probably not intended; one sentence each. */
  readonly warnings: readonly string[];
  readonly unknownSettings: readonly UnknownSetting[];
  /** For the startup log. */
  readonly effectiveSettings: EffectiveSettings;
  /** Of the settings that all replicas share, for the metrics. */
  readonly settingsDigest: string;
}

/**
 * Reads the configuration of the server from the `COUNTERSIGN_…` variables; docs/configuration.md lists them.
 *
 * @throws {ConfigurationError} with every problem
 */
export function readConfig(env: Environment): Config {
  const settings = new Settings(env);
  const { issuer, mtlsUrl, terminator, maxQueueDelay, clients, keyring, ...config } = readAllSettings(settings);
  if (!issuer || !mtlsUrl || !terminator || !maxQueueDelay || !clients || !keyring || settings.problems.length > 0) {
    // A setting that is missing may be misspelt.
    throw new ConfigurationError([...settings.problems, ...findUnknownSettings(env).map(describeUnknownSetting)]);
  }
  const { warnings } = settings;
  return {
    ...config,
    issuer,
    mtlsUrl,
    terminator,
    maxQueueDelay,
    clients,
    keyring,
    warnings,
    unknownSettings: findUnknownSettings(env),
    effectiveSettings: readEffectiveSettings(env),
    settingsDigest: digestSettings(env),
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
  const proxyTrustFiles = readProxyTrustFiles(settings);
  requireDistinctListeners(settings);
  const { listen, trust, description } = readProxyTrust(settings, address);
  const clients = readClientsConfig(settings);
  return {
    issuer,
    mtlsUrl,
    listen,
    operationsListen: operationsAddress === 'off' ? undefined : operationsAddress,
    edge: readEdgeConfig(settings, forwarded),
    maxQueueDelay,
    drainDelay: settings.read(serverSettings.DRAIN_DELAY),
    logging: readLoggingSettings(settings),
    maxRequestsInFlight: settings.read(serverSettings.MAX_REQUESTS_IN_FLIGHT),
    maxConnections: settings.read(serverSettings.MAX_CONNECTIONS),
    terminator: forwarded && { ...forwarded, proxyTrust: trust },
    clientCa,
    proxyTrustDescription: description,
    proxyTrustFiles,
    clients,
    crl: readCrlConfig(settings, clientCa),
    policy: readRegistrationPolicy(settings, clientCa),
    keyring: readKeyringConfig(settings, clients),
    tracing: readTracingConfig(settings.environment, {
      onProblem: (problem) => settings.problems.push(problem),
      onWarning: (warning) => settings.warnings.push(warning),
    }),
  };
}

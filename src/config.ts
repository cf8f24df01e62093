import type { RegistrationPolicy } from './clients/registration-policy.ts';
import { type ListenAddress, parseListenAddress } from './http/listen-address.ts';
import { parseBaseUrl } from './oauth/issuer.ts';
import { OperatorError } from './operator-error.ts';
import type { CrlConfig } from './pki/crl/crl-checker.ts';
import { type ClientCa, readClientCa } from './settings/client-ca.ts';
import { type ClientsConfig, readClientsConfig, readRegistrationPolicy } from './settings/clients.ts';
import { readCrlConfig } from './settings/crl.ts';
import { oneOf } from './settings/parsers.ts';
import { type RedisConfig, readRedisConfig } from './settings/redis.ts';
import { type Environment, Settings } from './settings/settings.ts';
import { readForwardedFields } from './settings/terminator.ts';
import { readProxyTrust } from './settings/trusted-proxy.ts';
import type { Terminator } from './terminator/terminator.ts';
import { type SigningAlgorithm, signingAlgorithmNames } from './tokens/signing-algorithm.ts';

export interface SigningKeyConfig {
  readonly text: string;
  readonly algorithm: SigningAlgorithm | undefined;
  /** The variable that holds it or names its file, for messages. */
  readonly setting: string;
}

/** Everything that the environment decides. It has been checked as a whole. */
export interface Config {
  readonly issuer: string;
  readonly mtlsUrl: string;
  readonly listen: ListenAddress;
  /** Undefined where it is off. */
  readonly operationsListen: ListenAddress | undefined;
  readonly terminator: Terminator;
  /** To which we verify the chains of clients; undefined where somebody else does, or nobody. */
  readonly clientCa: ClientCa | undefined;
  /** Undefined where nobody asks what the CAs revoked. */
  readonly crl: CrlConfig | undefined;
  /** How we know the terminator, for the line that the server prints at start. */
  readonly proxyTrustDescription: string;
  readonly clients: ClientsConfig;
  readonly policy: RegistrationPolicy;
  readonly signingKey: SigningKeyConfig;
  /** What is allowed and hardly meant, in whole sentences. */
  readonly warnings: readonly string[];
  /** Settings that are there and mean nothing to this version. */
  readonly unknownSettings: readonly string[];
}

/**
 * Reads the configuration from the `COUNTERSIGN_…` variables; docs/configuration.md lists them.
 * Nothing else reads the environment.
 *
 * @throws {OperatorError} with every fault
 */
export function readConfig(env: Environment): Config {
  const settings = new Settings(env);
  const { issuer, mtlsUrl, operationsListen, forwarded, clientCa, hop, clients, revocation, policy, algorithm, key } =
    readEverySetting(settings);
  if (!issuer || !mtlsUrl || !forwarded || !clients || !key || settings.problems.length > 0) {
    throw new OperatorError(settings.problems);
  }
  return {
    issuer,
    mtlsUrl,
    listen: hop.listen,
    operationsListen,
    terminator: { ...forwarded, proxyTrust: hop.trust },
    clientCa,
    crl: revocation,
    proxyTrustDescription: hop.description,
    clients,
    policy,
    signingKey: { text: key, algorithm, setting: settings.has('SIGNING_KEY') ? 'SIGNING_KEY' : 'SIGNING_KEY_FILE' },
    warnings: settings.warnings,
    unknownSettings: settings.unknown(env),
  };
}

/** Looks for each setting, also where others are missing or wrong. */
function readEverySetting(settings: Settings) {
  const issuer = settings.required('ISSUER', parseBaseUrl, 'the URL that clients know this server by');
  const mtlsUrl = settings.optional('MTLS_URL', parseBaseUrl) ?? issuer;
  const address = settings.optional('LISTEN', parseListenAddress) ?? parseListenAddress('127.0.0.1:8080');
  const operationsListen = readOperationsListen(settings);
  const forwarded = readForwardedFields(settings);
  const clientCa = readClientCa(settings);
  const hop = readProxyTrust(settings, address);
  const clients = readClientsConfig(settings);
  const revocation = readCrlConfig(settings, clientCa);
  const policy = readRegistrationPolicy(settings, clientCa);
  const algorithm = settings.optional('SIGNING_ALG', oneOf(signingAlgorithmNames));
  const key = settings.requiredSecret('SIGNING_KEY', HOW_TO_MAKE_A_KEY);
  return { issuer, mtlsUrl, operationsListen, forwarded, clientCa, hop, clients, revocation, policy, algorithm, key };
}

/**
 * The variables that begin as settings do and are none, of the server or of any command: most of them are misspelt.
 */
export function unknownSettings(env: Environment): readonly string[] {
  const settings = new Settings({});
  readEverySetting(settings);
  return settings.unknown(env);
}

/** Where health and the doctor's questions are answered; `off` for nowhere. */
function readOperationsListen(settings: Settings): ListenAddress | undefined {
  const parse = (text: string) => (text === 'off' ? text : parseListenAddress(text));
  const address = settings.optional('OPERATIONS_LISTEN', parse) ?? parseListenAddress('127.0.0.1:9090');
  return address === 'off' ? undefined : address;
}

/** The environment of this process. No other file reads it. */
export const environment: Environment = process.env;

/** Of the configuration, what commands need that only look at client records. */
export interface RecordsConfig {
  readonly policy: RegistrationPolicy;
  /** Whether anything says who verifies the chains of clients. */
  readonly isVerifierSet: boolean;
}

/** @throws {OperatorError} with every fault */
export function readRecordsConfig(env: Environment): RecordsConfig {
  const settings = new Settings(env);
  const policy = readRegistrationPolicy(settings, readClientCa(settings));
  if (settings.problems.length > 0) throw new OperatorError(settings.problems);
  return { policy, isVerifierSet: settings.has('CLIENT_CA_FILE') || settings.has('CHAIN_VERIFIED_BY') };
}

/** What commands need that look after the clients in Redis. */
export interface AdministrationConfig {
  readonly redis: RedisConfig;
  readonly policy: RegistrationPolicy;
}

/** @throws {OperatorError} with every fault, among them that no Redis is set */
export function readAdministrationConfig(env: Environment): AdministrationConfig {
  const settings = new Settings(env);
  const redis = readRedisConfig(settings);
  const policy = readRegistrationPolicy(settings, readClientCa(settings));
  if (!settings.hasSecret('REDIS_URL')) settings.missing('REDIS_URL', whatHoldsTheClients(settings));
  if (!redis || settings.problems.length > 0) throw new OperatorError(settings.problems);
  return { redis, policy };
}

function whatHoldsTheClients(settings: Settings): string {
  const file = settings.optional('CLIENTS_FILE', (path) => path);
  if (file === undefined) return 'this command looks after the clients in Redis';
  return `COUNTERSIGN_CLIENTS_FILE is set, and the server reads its clients from ${file}: edit that file instead`;
}

const HOW_TO_MAKE_A_KEY =
  'the private key that signs tokens. Make one with: ' +
  'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out signing-key.pem';

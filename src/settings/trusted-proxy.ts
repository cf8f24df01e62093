import type { ListenAddress, PlainAddress } from '../http/listen-address.ts';
import { isLoopback, parseTrustedAddresses, type TrustedAddresses } from '../terminator/trusted-addresses.ts';
import { digestProxySecret, type ProxyTrust } from '../terminator/trusted-proxy.ts';
import { proxyCertificateSettings, readProxyCertificate } from './proxy-certificate.ts';
import { readServerCertificate, serverCertificateSettings } from './server-certificate.ts';
import type { Settings } from './settings.ts';

/** The hop from the proxy to us: how it is listened for, and what makes a peer the proxy. */
export interface ConfiguredProxyTrust {
  readonly listen: ListenAddress;
  readonly trust: ProxyTrust;
  /** For the line that the server prints at start. */
  readonly description: string;
}

/** Reads every setting of the hop but the address itself. Faults are collected in the settings. */
export function readProxyTrust(settings: Settings, address: PlainAddress): ConfiguredProxyTrust {
  const proxies = settings.optional('TRUSTED_PROXIES', parseTrustedAddresses) ?? parseTrustedAddresses();
  const secrets = settings.secret('PROXY_SECRET', parseProxySecrets) ?? [];
  const certificate = readProxyCertificate(settings);
  const own = readServerCertificate(settings);
  requireHttps(settings, address);
  requireProof(settings, address, proxies);
  warnAboutUnreachableTrust(settings, address);
  const tls = own && { ...own, peerCaCertificates: certificate?.caCertificates };
  const peers = address.kind === 'unix' ? 'Unix socket' : `peers: ${proxies.description}`;
  const proofs = [describeProxySecrets(secrets), certificate?.description].filter((proof) => proof !== undefined);
  return {
    listen: tls && address.kind === 'tcp' ? { ...address, kind: 'tls', tls } : address,
    trust: {
      trustedAddresses: proxies.addresses,
      proxySecretDigests: secrets.map(digestProxySecret),
      proxyCertificateRules: certificate?.rules ?? [],
    },
    description: proofs.length === 0 ? peers : `${peers} with ${proofs.join(' and ')}`,
  };
}

/** The proxy shows its certificate in a TLS handshake, and there is none over HTTP and over a Unix socket. */
function requireHttps(settings: Settings, { kind }: PlainAddress): void {
  const served = serverCertificateSettings.filter((name) => settings.has(name));
  const asked = proxyCertificateSettings.filter((name) => settings.has(name));
  if (kind === 'unix') {
    for (const name of [...served, ...asked]) {
      settings.reject(name, 'is for an HTTPS listener; remove it, or let COUNTERSIGN_LISTEN be like 127.0.0.1:8443');
    }
  } else if (asked.length > 0 && served.length === 0) {
    const reason = `the proxy shows the certificate of COUNTERSIGN_${asked[0]} over HTTPS only`;
    settings.missing('TLS_CERTIFICATE_FILE', `${reason}; set it and COUNTERSIGN_TLS_KEY_FILE`);
  }
}

function listensBeyondLoopback(address: PlainAddress): boolean {
  return address.kind === 'tcp' && !isLoopback(address.host);
}

/** A proxy on this machine may be meant; one elsewhere more often is. */
function warnAboutUnreachableTrust(settings: Settings, address: PlainAddress): void {
  if (!listensBeyondLoopback(address) || settings.has('TRUSTED_PROXIES')) return;
  const mend = 'set it to the addresses of the proxies, if they are elsewhere';
  settings.warn(
    'TRUSTED_PROXIES',
    `is not set: COUNTERSIGN_LISTEN is not loopback, and only loopback is believed; ${mend}`,
  );
}

/** An address alone is proof on this machine only: on a network others can take it. */
function requireProof(settings: Settings, address: PlainAddress, proxies: TrustedAddresses): void {
  const listensBeyond = listensBeyondLoopback(address);
  if (settings.hasSecret('PROXY_SECRET') || proxyCertificateSettings.some((name) => settings.has(name))) return;
  if (!listensBeyond && !proxies.beyondLoopback) return;
  const cause = listensBeyond ? 'COUNTERSIGN_LISTEN is' : 'COUNTERSIGN_TRUSTED_PROXIES are';
  const mend = 'the proxy must show a secret (openssl rand -hex 32)';
  const otherwise = 'or a certificate of its own (COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS)';
  settings.missing('PROXY_SECRET_FILE', `${cause} not loopback, so ${mend} ${otherwise}`);
}

const MIN_SECRET_CHARACTERS = 32;
const HOW_TO_MAKE_ONE = 'make one with: openssl rand -hex 32';

/**
 * Parses `COUNTERSIGN_PROXY_SECRET`: one secret, or for a rotation two, with white space between. Each can stand in a
 * header as it is, and is long enough not to be guessed.
 *
 * @throws {RangeError} which says nothing of the secret
 */
export function parseProxySecrets(text: string): readonly string[] {
  const secrets = text.split(/[ \t\r\n]+/).filter((secret) => secret !== '');
  if (secrets.length > 2) {
    throw new RangeError('holds more than two secrets; the one in use and the one that follows it are enough');
  }
  for (const secret of secrets) requireSecret(secret);
  if (secrets.length === 0) throw new RangeError(`holds no secret; ${HOW_TO_MAKE_ONE}`);
  if (secrets[0] === secrets[1]) throw new RangeError('holds the same secret twice; write it once');
  return secrets;
}

function requireSecret(secret: string): void {
  if (!/^[\x21-\x7e]+$/.test(secret)) {
    throw new RangeError(`holds a control character or one beyond ASCII; ${HOW_TO_MAKE_ONE}`);
  }
  if (secret.length < MIN_SECRET_CHARACTERS) {
    throw new RangeError(`holds one shorter than ${MIN_SECRET_CHARACTERS} characters; ${HOW_TO_MAKE_ONE}`);
  }
}

/** For the line that the server prints at start; undefined where there is none. */
export function describeProxySecrets({ length }: readonly string[]): string | undefined {
  return length === 0 ? undefined : length === 1 ? 'proxy secret' : 'two proxy secrets (rotation)';
}

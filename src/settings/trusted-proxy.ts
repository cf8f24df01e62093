import type { ListenAddress, PlainAddress } from '../http/listen-address.ts';
import { isLoopback, parseTrustedAddresses, type TrustedAddresses } from '../terminator/trusted-addresses.ts';
import { digestProxySecret, type ProxyTrust } from '../terminator/trusted-proxy.ts';
import type { FiledCertificate } from './certificate-file.ts';
import { proxyCaFiles, proxyCertificateSettings, readProxyCertificate } from './proxy-certificate.ts';
import { serverSettings } from './server.ts';
import {
  readServerCertificate,
  type ServerCertificate,
  serverCertificateFiles,
  serverCertificateSettings,
} from './server-certificate.ts';
import { defineSettings, type Setting } from './setting.ts';
import { type SettingFiles, settingFiles } from './setting-files.ts';
import { PREFIX, type Settings } from './settings.ts';

export const trustedProxySettings = defineSettings('Trusted proxy', {
  TRUSTED_PROXIES: {
    parse: parseTrustedAddresses,
    description: 'comma-separated addresses and CIDRs of the proxies that may forward a certificate',
    details: 'No range wider than /8, or /16 for IPv6. Has no effect on a Unix socket.',
    defaultDescription: 'loopback',
  },
  PROXY_SECRET: {
    parse: parseProxySecrets,
    description: 'secret that the proxy sends in `X-Countersign-Proxy-Secret`',
    details:
      'At least 32 printable ASCII characters without spaces; during a rotation two secrets, one per line. ' +
      'Required if `COUNTERSIGN_LISTEN`, `COUNTERSIGN_EDGE_LISTEN` or `COUNTERSIGN_TRUSTED_PROXIES` include more than loopback, ' +
      'unless the proxy presents a certificate of its own. The file is watched for changes.',
    isSecret: true,
  },
});
const { TRUSTED_PROXIES, PROXY_SECRET } = trustedProxySettings;

/** The connection from the proxy: where this server listens for it, and how a peer proves that it is the proxy. */
export interface ConfiguredProxyTrust {
  readonly listen: ListenAddress;
  readonly trust: ProxyTrust;
  /** For the startup log. */
  readonly description: string;
}

/**
 * Reads how the proxy is authenticated. Problems are collected in `settings`.
 *
 * @param setting the one that the address is from
 */
export function readProxyTrust(
  settings: Settings,
  address: PlainAddress,
  setting: Setting = serverSettings.LISTEN,
): ConfiguredProxyTrust {
  const proxies = settings.read(TRUSTED_PROXIES) ?? parseTrustedAddresses();
  const secrets = settings.read(PROXY_SECRET) ?? [];
  const certificate = readProxyCertificate(settings);
  const own = readServerCertificate(settings);
  const variable = `${PREFIX}${setting.name}`;
  requireHttps(settings, address, variable);
  requireProof(settings, address, variable, proxies);
  warnIfProxiesAreUnset(settings, address, variable);
  const peerCaCertificates = certificate?.caCertificates;
  const tls = own && { certificatePem: own.cert, privateKeyPem: own.key, peerCaCertificates };
  const trusted = address.kind === 'unix' ? 'Unix socket' : `trusted proxies: ${proxies.description}`;
  const proofs = [describeProxySecrets(secrets), certificate?.description].filter((proof) => proof !== undefined);
  return {
    listen: tls && address.kind === 'tcp' ? { ...address, kind: 'tls', tls } : address,
    trust: {
      trustedAddresses: proxies.addresses,
      proxySecretDigests: secrets.map(digestProxySecret),
      proxyCertificateRules: certificate?.rules ?? [],
    },
    description: proofs.length === 0 ? trusted : `${trusted} with ${proofs.join(' and ')}`,
  };
}

/** What authenticates the proxy, as far as it is in files that are read again when they change. */
export interface ProxyTrustFiles {
  /** The digests of the proxy secrets. */
  readonly proxySecret: SettingFiles<ProxyTrust['proxySecretDigests']> | undefined;
  readonly proxyCa: SettingFiles<readonly FiledCertificate[]> | undefined;
  readonly serverCertificate: SettingFiles<ServerCertificate> | undefined;
}

/** Problems are collected in `settings`. */
export function readProxyTrustFiles(settings: Settings): ProxyTrustFiles {
  const secret = settings.fileOf(PROXY_SECRET);
  const readSecret = () => settings.read(PROXY_SECRET)?.map(digestProxySecret);
  return {
    proxySecret: secret && settingFiles([secret], readSecret, (warn) => secret.load(warn).map(digestProxySecret)),
    proxyCa: proxyCaFiles(settings),
    serverCertificate: serverCertificateFiles(settings),
  };
}

/** A proxy presents a certificate in a TLS handshake, which HTTP and Unix sockets do not have. */
function requireHttps(settings: Settings, { kind }: PlainAddress, variable: string): void {
  const isSet = (setting: Setting) => settings.has(setting);
  const served = Object.values(serverCertificateSettings).filter(isSet);
  const required = Object.values(proxyCertificateSettings).filter(isSet);
  const [first] = required;
  if (kind === 'unix') {
    for (const setting of [...served, ...required]) {
      settings.reject(setting, `requires an HTTPS listener: remove it, or set ${variable} like 127.0.0.1:8443`);
    }
  } else if (first && served.length === 0) {
    const reason = `the proxy can present the certificate of ${PREFIX}${first.name} over HTTPS only`;
    const fix = 'set it and COUNTERSIGN_TLS_KEY_FILE';
    settings.reportMissing(serverCertificateSettings.TLS_CERTIFICATE_FILE, `${reason}; ${fix}`);
  }
}

function listensBeyondLoopback(address: PlainAddress): boolean {
  return address.kind === 'tcp' && !isLoopback(address.host);
}

/** A listener beyond loopback usually has a proxy on another machine. */
function warnIfProxiesAreUnset(settings: Settings, address: PlainAddress, variable: string): void {
  if (!listensBeyondLoopback(address) || settings.has(TRUSTED_PROXIES)) return;
  const fix = 'set it to the addresses of the proxies if they run elsewhere';
  settings.warn(
    TRUSTED_PROXIES,
    `is not set: ${variable} is not loopback, but only proxies on loopback are trusted; ${fix}`,
  );
}

/** An address proves who the peer is on this machine only: in a network, others can use it. */
function requireProof(settings: Settings, address: PlainAddress, variable: string, proxies: TrustedAddresses): void {
  const listensBeyond = listensBeyondLoopback(address);
  const proofs = [PROXY_SECRET, ...Object.values(proxyCertificateSettings)];
  if (proofs.some((setting) => settings.has(setting))) return;
  if (!listensBeyond && !proxies.beyondLoopback) return;
  const cause = listensBeyond ? `${variable} is not` : 'COUNTERSIGN_TRUSTED_PROXIES are not all';
  const fix = 'the proxy must present a secret (openssl rand -hex 32)';
  const alternative = 'or a certificate of its own (COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS)';
  settings.reportMissing(PROXY_SECRET, `${cause} loopback, so ${fix} ${alternative}`);
}

const MIN_SECRET_CHARACTERS = 32;
const HOW_TO_GENERATE = 'generate one with: openssl rand -hex 32';

/**
 * Parses one proxy secret, or for a rotation two, separated by white space. Each is usable as a header value, and too
 * long to guess.
 *
 * @throws {RangeError} that does not quote a secret
 */
function parseProxySecrets(text: string): readonly string[] {
  const secrets = text.split(/[ \t\r\n]+/).filter((secret) => secret !== '');
  if (secrets.length > 2) {
    throw new RangeError('contains more than two secrets; keep the current and the next one');
  }
  for (const secret of secrets) requireSecret(secret);
  if (secrets.length === 0) throw new RangeError(`contains no secret; ${HOW_TO_GENERATE}`);
  if (secrets[0] === secrets[1]) throw new RangeError('contains the same secret twice; remove one');
  return secrets;
}

function requireSecret(secret: string): void {
  if (!/^[\x21-\x7e]+$/.test(secret)) {
    throw new RangeError(`contains a control or non-ASCII character; ${HOW_TO_GENERATE}`);
  }
  if (secret.length < MIN_SECRET_CHARACTERS) {
    throw new RangeError(`contains a secret shorter than ${MIN_SECRET_CHARACTERS} characters; ${HOW_TO_GENERATE}`);
  }
}

function describeProxySecrets({ length }: readonly string[]): string | undefined {
  return length === 0 ? undefined : length === 1 ? 'proxy secret' : 'two proxy secrets (rotation)';
}

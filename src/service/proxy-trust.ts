import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config.ts';
import type { ListenAddress, ListenerTls } from '../http/listen-address.ts';
import type { HttpListener } from '../http/listener.ts';
import type { Log } from '../observability/log.ts';
import { sha256Thumbprint } from '../pki/certificate/thumbprint.ts';
import { areSameCertificates, type FiledCertificate, isRoot } from '../settings/certificate-file.ts';
import { isSameKeyPair } from '../settings/key-pair.ts';
import type { Terminator } from '../terminator/terminator.ts';
import type { ProxyTrust } from '../terminator/trusted-proxy.ts';
import { watchSetting } from './watch-setting.ts';
import type { WatchedFiles } from './watched-files.ts';

/** What authenticates the proxy and the listeners to each other, as it is in the files now. */
export interface LiveProxyTrust {
  terminator(configured: Terminator): Terminator;
  /** From now on, new connections of the listener use what is in the files. */
  follow(listener: HttpListener): void;
}

interface Watcher {
  readonly watched: WatchedFiles;
  readonly log: Log;
}

/**
 * Watches the proxy secret, the certificate and key of the listeners, and the CA certificates of the proxies. Connections
 * are not closed by a change. A proxy that was verified against a CA certificate which is then removed is no longer
 * trusted, also on such a connection.
 */
export function watchProxyTrust({ proxyTrustFiles: files }: Config, watcher: Watcher): LiveProxyTrust {
  const listeners: HttpListener[] = [];
  const replaceTls = () => {
    for (const listener of listeners) if (listener.address.kind === 'tls') listener.replaceTls(tlsOf(listener.address));
  };
  const secrets = watchSetting('proxy_secret', files.proxySecret, watcher, {
    describe: describeSecrets,
    isSame: isDeepStrictEqual,
  });
  const certificate = watchSetting('tls_certificate', files.serverCertificate, watcher, {
    onReloaded: replaceTls,
    describe: ({ subject, notAfter }) => ({ fields: { subject }, summary: validUntil(subject, notAfter) }),
    isSame: isSameKeyPair,
    notAfter: (value) => value.notAfter,
  });
  const roots = new RemainingRoots(files.proxyCa?.first ?? []);
  const proxyCa = watchSetting('proxy_ca', files.proxyCa, watcher, {
    onReloaded: (certificates) => {
      replaceTls();
      roots.replace(certificates);
    },
    describe: (certificates) => ({ summary: certificates.map(({ subject }) => `"${subject}"`).join(', ') }),
    isSame: areSameCertificates,
    notAfter: (certificates) => Math.min(...certificates.map(({ x509 }) => x509.validToDate.getTime())),
  });
  const tlsOf = (address: HttpsAddress): ListenerTls => ({
    ...address.tls,
    ...(certificate && { certificatePem: certificate.current.cert, privateKeyPem: certificate.current.key }),
    ...(proxyCa && { peerCaCertificates: proxyCa.current.map(({ pem }) => pem) }),
  });
  return {
    terminator: (configured) => ({ ...configured, proxyTrust: liveTrust(configured.proxyTrust, secrets, roots) }),
    follow: (listener) => {
      listeners.push(listener);
      // The files may have changed since it was opened.
      replaceTls();
    },
  };
}

type HttpsAddress = Extract<ListenAddress, { readonly kind: 'tls' }>;

function describeSecrets({ length }: ProxyTrust['proxySecretDigests']) {
  return { fields: { secrets: length }, summary: length === 1 ? 'one secret' : 'two secrets (rotation)' };
}

function validUntil(subject: string, notAfter: number): string {
  return `"${subject}", valid until ${new Date(notAfter).toISOString()}`;
}

/** Each property is read for each request. */
function liveTrust(
  configured: ProxyTrust,
  secrets: { readonly current: ProxyTrust['proxySecretDigests'] } | undefined,
  roots: RemainingRoots,
): ProxyTrust {
  const { trustedAddresses, proxySecretDigests, proxyCertificateRules } = configured;
  let rules = proxyCertificateRules;
  let rulesOf = roots.thumbprints;
  return {
    trustedAddresses,
    get proxySecretDigests() {
      return secrets?.current ?? proxySecretDigests;
    },
    get proxyCertificateRules() {
      if (rulesOf === roots.thumbprints) return rules;
      rulesOf = roots.thumbprints;
      rules = proxyCertificateRules.map((rule) =>
        rule.kind === 'named' ? { ...rule, remainingRoots: roots.thumbprints } : rule,
      );
      return rules;
    },
  };
}

/** The root certificates of the proxies that are left of those which were configured at any time. */
class RemainingRoots {
  /** Undefined if none has been removed, or each is back: then every connection was verified against one of these. */
  thumbprints: ReadonlySet<string> | undefined;
  readonly #known = new Set<string>();

  constructor(certificates: readonly FiledCertificate[]) {
    this.replace(certificates);
  }

  replace(certificates: readonly FiledCertificate[]): void {
    const current = new Set(certificates.filter(isRoot).map(({ x509 }) => sha256Thumbprint(x509.raw)));
    for (const thumbprint of current) this.#known.add(thumbprint);
    this.thumbprints = current.size === this.#known.size ? undefined : current;
  }
}

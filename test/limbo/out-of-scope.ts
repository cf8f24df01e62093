import { X509Certificate } from 'node:crypto';
import type { LimboCase } from './limbo-file.ts';

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** Why path validation for clients does not determine the result of a case, or undefined if it does. */
export function outOfScope(limbo: LimboCase): string | undefined {
  return Object.entries(aspects).find(([, isAbout]) => isAbout(limbo))?.[0];
}

const aspects: Readonly<Record<string, (limbo: LimboCase) => boolean>> = {
  'depends on revocation': ({ crls, features }) => (crls?.length ?? 0) > 0 || (features ?? []).includes('has-crl'),
  'sets a chain depth, which is fixed here': ({ max_chain_depth: depth }) => typeof depth === 'number',
  'is about server authentication': isAboutServerAuth,
  'expects a peer name that is not in the certificate': expectsAnotherPeer,
};

/** A server certificate without serverAuth, or below a CA without clientAuth: not a client certificate in either case. */
function isAboutServerAuth(limbo: LimboCase): boolean {
  if (limbo.validation_kind === 'CLIENT') return false;
  const isServer = extendedKeyUsageOf(limbo.peer_certificate)?.includes(SERVER_AUTH) ?? false;
  const cas = [...limbo.trusted_certs, ...limbo.untrusted_intermediates].map(extendedKeyUsageOf);
  return !isServer || cas.some((usages) => usages && !usages.includes(CLIENT_AUTH));
}

/** The expected name of a client is determined by its registration, not by path validation. */
function expectsAnotherPeer({ validation_kind: kind, expected_peer_name: name, peer_certificate: pem }: LimboCase) {
  if (kind === 'CLIENT' || !name) return false;
  const certificate = tryParse(pem);
  if (!certificate) return false;
  const check = { DNS: 'checkHost', IP: 'checkIP', RFC822: 'checkEmail' } as const;
  const method = Object.entries(check).find(([named]) => named === name.kind)?.[1];
  return method !== undefined && certificate[method](name.value) === undefined;
}

function extendedKeyUsageOf(pem: string): readonly string[] | undefined {
  return tryParse(pem)?.keyUsage;
}

/** A certificate that OpenSSL cannot parse tests its encoding. */
function tryParse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

import { X509Certificate } from 'node:crypto';
import type { LimboCase } from './limbo-file.ts';

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** What a case hangs on that path validation for clients does not decide, or undefined where it decides. */
export function outOfScope(limbo: LimboCase): string | undefined {
  return Object.entries(aspects).find(([, isAbout]) => isAbout(limbo))?.[0];
}

const aspects: Readonly<Record<string, (limbo: LimboCase) => boolean>> = {
  'hangs on revocation': ({ crls, features }) => (crls?.length ?? 0) > 0 || (features ?? []).includes('has-crl'),
  'sets a chain depth; ours is fixed': ({ max_chain_depth: depth }) => typeof depth === 'number',
  'is about the purpose of a server': isAboutServerPurpose,
  'names a peer that the certificate does not': namesAnotherPeer,
};

/** A server's leaf without serverAuth, or below a CA for servers alone: who is no client's either way. */
function isAboutServerPurpose(limbo: LimboCase): boolean {
  if (limbo.validation_kind === 'CLIENT') return false;
  const isForServers = purposesOf(limbo.peer_certificate)?.includes(SERVER_AUTH) ?? false;
  const cas = [...limbo.trusted_certs, ...limbo.untrusted_intermediates].map(purposesOf);
  return !isForServers || cas.some((purposes) => purposes && !purposes.includes(CLIENT_AUTH));
}

/** Who the peer is, is for the registration of a client to say. */
function namesAnotherPeer({ validation_kind: kind, expected_peer_name: name, peer_certificate: pem }: LimboCase) {
  if (kind === 'CLIENT' || !name) return false;
  const certificate = readable(pem);
  if (!certificate) return false;
  const check = { DNS: 'checkHost', IP: 'checkIP', RFC822: 'checkEmail' } as const;
  const method = Object.entries(check).find(([named]) => named === name.kind)?.[1];
  return method !== undefined && certificate[method](name.value) === undefined;
}

function purposesOf(pem: string): readonly string[] | undefined {
  return readable(pem)?.keyUsage;
}

/** A certificate that OpenSSL cannot read is about how it is written. */
function readable(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

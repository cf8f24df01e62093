import { ALL, type Revocation } from '../../tokens/revocation/revocation.ts';

/** A revocation in JSON and YAML. Instants are RFC 3339. */
export interface RevocationReport {
  readonly kind: Revocation['kind'];
  /** The `jti`, the `client_id`, or the audience. */
  readonly value: string;
  /** The last moment of issue that is revoked; absent for a single token. */
  readonly before?: string;
  /** When the last of its tokens has expired everywhere. */
  readonly expires_at: string;
}

export function reportRevocation({ kind, value, before, expiresAt }: Revocation): RevocationReport {
  return { kind, value, ...(before !== ALL && { before: instant(before) }), expires_at: instant(expiresAt) };
}

/** @param seconds since the epoch */
function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

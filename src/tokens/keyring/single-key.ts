import { type OAuthError, temporarilyUnavailable } from '../../oauth/oauth-error.ts';
import type { SigningKey } from '../signing-key.ts';
import type { Keyring } from './keyring.ts';

/** A keyring of one key, which never changes. */
export function singleKey(key: SigningKey): Keyring {
  return {
    description: `${key.algorithm} ${key.keyId}`,
    signingKey: (algorithm = key.algorithm) => {
      if (algorithm === key.algorithm) return key;
      throw noSigningKey(`the signing key is for ${key.algorithm}, and the resource requires ${algorithm}`);
    },
    find: (keyId) => (keyId === key.keyId ? key : undefined),
    published: [key],
    algorithms: [key.algorithm],
    phases: [
      { key: { ...key, signsFrom: Number.NEGATIVE_INFINITY }, state: 'signing', until: Number.POSITIVE_INFINITY },
    ],
    version: undefined,
    notReadyReason: undefined,
    close: async () => {},
  };
}

/** No key can sign at the moment. */
export function noSigningKey(reason: string): OAuthError {
  return temporarilyUnavailable('signing_key_unavailable', reason, 5);
}

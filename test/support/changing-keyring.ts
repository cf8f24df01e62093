import type { SigningAlgorithm } from '../../src/tokens/algorithms/signing-algorithm.ts';
import { generatePrivateKey } from '../../src/tokens/generate-key.ts';
import type { Keyring } from '../../src/tokens/keyring/keyring.ts';
import { type KeyringKey, type KeyringVersion, liveKeyring } from '../../src/tokens/keyring/live-keyring.ts';
import { readSigningKey } from '../../src/tokens/signing-key.ts';

/** A keyring of the server over a source that a test changes. */
export interface ChangingKeyring {
  readonly keyring: Keyring;
  /** Makes these its keys: published from now on, and no others. */
  readonly set: (keys: readonly KeyringKey[], more?: Partial<KeyringVersion>) => void;
  /** Why its keys must not sign. */
  notReadyReason: string | undefined;
}

/** @param retention milliseconds; infinite by default */
export function changingKeyring(
  keys: readonly KeyringKey[],
  { retention = Number.POSITIVE_INFINITY, now = Date.now }: { retention?: number; now?: () => number } = {},
): ChangingKeyring {
  let version: KeyringVersion = { keys, algorithm: undefined };
  const changing: ChangingKeyring = {
    keyring: liveKeyring(
      {
        description: 'a test',
        current: () => version,
        get notReadyReason() {
          return changing.notReadyReason;
        },
        close: async () => {},
      },
      { retention, now },
    ),
    set: (next, more = {}) => {
      version = { algorithm: undefined, ...more, keys: next };
    },
    notReadyReason: undefined,
  };
  return changing;
}

/** @param signsFrom milliseconds since the epoch; always by default */
export async function newKey(algorithm: SigningAlgorithm, signsFrom = Number.NEGATIVE_INFINITY): Promise<KeyringKey> {
  const privateKey = await generatePrivateKey(algorithm);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const signer = await readSigningKey(pem, algorithm);
  const { keyId, publicJwk } = signer;
  return { algorithm, keyId, publicJwk, signsFrom, signer };
}

import type { SigningAlgorithm } from '../algorithms/signing-algorithm.ts';
import type { PublishedKey } from '../published-key.ts';
import type { SigningKey } from '../signing-key.ts';
import type { Keyring } from './keyring.ts';
import { type KeyPhase, keyPhases, type ScheduledKey } from './lifecycle.ts';
import { noSigningKey } from './single-key.ts';

/** A key as a source provides it: the same object in each version that has it. */
export interface KeyringKey extends ScheduledKey, PublishedKey {
  /** Undefined if its private key is not available here. */
  readonly signer: SigningKey | undefined;
}

/** One version of the keys of a source. Never modified. */
export interface KeyringVersion {
  readonly keys: readonly KeyringKey[];
  /** The server's own algorithm; undefined for that of the key that was the last to begin signing. */
  readonly algorithm: SigningAlgorithm | undefined;
  /** Increases with each version, 0 before the first, if the source counts them. */
  readonly number?: number | undefined;
}

export interface KeyringSource {
  readonly description: string;
  /** The same object until the keys change. */
  current(): KeyringVersion;
  /** Why its keys must not sign; undefined if they can. */
  readonly notReadyReason: string | undefined;
  close(): Promise<void>;
}

interface LiveKeyringOptions {
  /** Milliseconds for which a key stays published after it has signed its last token; infinite to leave that to the source. */
  readonly retention: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A keyring that follows its source and the time. */
export function liveKeyring(source: KeyringSource, { retention, now }: LiveKeyringOptions): Keyring {
  let view = viewAt(source.current(), retention, now());
  const current = (): View => {
    const time = now();
    const version = source.current();
    if (version !== view.version || time >= view.until || time < view.from)
      view = viewAt(version, retention, time, view);
    return view;
  };
  return {
    description: source.description,
    signingKey: (algorithm) => {
      const { notReadyReason } = source;
      if (notReadyReason !== undefined) throw noSigningKey(notReadyReason);
      const { signers, algorithms } = current();
      const wanted = algorithm ?? algorithms[0];
      const signer = wanted && signers.get(wanted);
      if (signer) return signer;
      throw noSigningKey(`no key of the keyring signs ${wanted ?? 'at the moment'}`);
    },
    find: (keyId) => {
      const { version, byKeyId } = current();
      // The keys have never been read, so any token may be one of ours.
      if (version.keys.length === 0)
        throw noSigningKey(source.notReadyReason ?? 'no key of the keyring signs at the moment');
      return byKeyId.get(keyId);
    },
    get published() {
      return current().published;
    },
    get algorithms() {
      return current().algorithms;
    },
    get phases() {
      return current().phases;
    },
    get version() {
      return source.current().number;
    },
    get notReadyReason() {
      return source.notReadyReason ?? (current().algorithms.length === 0 ? 'no key of the keyring signs' : undefined);
    },
    close: () => source.close(),
  };
}

/** What the keys amount to during a span of time. */
interface View {
  readonly version: KeyringVersion;
  /** Milliseconds since the epoch, the end excluded. */
  readonly from: number;
  readonly until: number;
  readonly phases: readonly KeyPhase<KeyringKey>[];
  readonly published: readonly PublishedKey[];
  readonly byKeyId: ReadonlyMap<string, PublishedKey>;
  readonly signers: ReadonlyMap<SigningAlgorithm, SigningKey>;
  readonly algorithms: readonly SigningAlgorithm[];
}

function viewAt(version: KeyringVersion, retention: number, now: number, previous?: View): View {
  const phases = keyPhases(version.keys, retention, now);
  const published = phases.filter(({ state }) => state !== 'expired').map(({ key }) => key);
  const signing = phases.filter(({ state }) => state === 'signing').map(({ key }) => key);
  const signers = new Map(signing.flatMap(({ algorithm, signer }) => (signer ? [[algorithm, signer] as const] : [])));
  return {
    version,
    from: now,
    until: Math.min(...phases.map(({ until }: KeyPhase<KeyringKey>) => until)),
    phases,
    published: sameOr(previous?.published, published),
    byKeyId: new Map(published.map((key) => [key.keyId, key])),
    signers,
    algorithms: sameOr(previous?.algorithms, orderAlgorithms(signing, signers, version.algorithm)),
  };
}

/** The server's own algorithm first. If no key of it signs, there is none. */
function orderAlgorithms(
  signing: readonly KeyringKey[],
  signers: ReadonlyMap<SigningAlgorithm, SigningKey>,
  own: SigningAlgorithm | undefined,
): readonly SigningAlgorithm[] {
  const latest = signing.toSorted((one, other) => other.signsFrom - one.signsFrom).at(0)?.algorithm;
  const first = own ?? latest;
  if (first === undefined || !signers.has(first)) return [];
  return [first, ...[...signers.keys()].filter((algorithm) => algorithm !== first)];
}

function sameOr<Item>(previous: readonly Item[] | undefined, next: readonly Item[]): readonly Item[] {
  const isSame = previous?.length === next.length && previous.every((item, index) => item === next[index]);
  return isSame ? previous : next;
}

import type { Metrics, Sample } from '../observability/metrics.ts';
import type { Keyring } from '../tokens/keyring/keyring.ts';
import type { KeyState } from '../tokens/keyring/lifecycle.ts';

type WatchedKeyring = Pick<Keyring, 'phases' | 'version'>;

/** Adds gauges about the keys that sign tokens. None contains a private key. */
export function addKeyringMetrics(metrics: Metrics, keyring: WatchedKeyring): void {
  metrics.addGauge({
    name: 'keys',
    help: 'Published keys by algorithm and state (next, signing, retired)',
    labels: ['alg', 'state'],
    read: () => stateSamples(keyring),
  });
  metrics.addGauge({
    name: 'signing_key_info',
    help: 'The key that signs: 1, with the same labels on every replica',
    labels: ['alg', 'kid'],
    read: () => signingSamples(keyring),
  });
  metrics.addGauge({
    name: 'signing_key_start_timestamp_seconds',
    help: 'When the key that signs began to sign, in seconds since the epoch',
    labels: ['alg', 'kid'],
    read: () => startSamples(keyring),
  });
  metrics.addGauge({
    name: 'key_rotation_timestamp_seconds',
    help: 'When the next key will begin to sign, in seconds since the epoch',
    labels: ['alg', 'kid'],
    read: () => rotationSamples(keyring),
  });
  if (keyring.version === undefined) return;
  metrics.addGauge({
    name: 'keyring_version',
    help: 'Version of the keyring in Redis that this replica uses: the same on every replica, and 0 before the first',
    labels: [],
    read: () => [{ labels: {}, value: keyring.version ?? 0 }],
  });
}

const publishedStates = ['next', 'signing', 'retired'] as const satisfies readonly KeyState[];

/** Also the states in which an algorithm has no key, so that an alert can compare them with 0. */
function stateSamples({ phases }: WatchedKeyring): Sample[] {
  const byAlgorithm = Map.groupBy(phases, ({ key }) => key.algorithm);
  return [...byAlgorithm].flatMap(([alg, ofAlgorithm]) =>
    publishedStates.map((state) => ({
      labels: { alg, state },
      value: ofAlgorithm.filter((phase) => phase.state === state).length,
    })),
  );
}

function signingSamples({ phases }: WatchedKeyring): Sample[] {
  return phases
    .filter(({ state }) => state === 'signing')
    .map(({ key: { algorithm: alg, keyId: kid } }) => ({ labels: { alg, kid }, value: 1 }));
}

/** A key without a date has always signed. */
function startSamples({ phases }: WatchedKeyring): Sample[] {
  return phases
    .filter(({ key, state }) => state === 'signing' && Number.isFinite(key.signsFrom))
    .map(({ key }) => timeSample(key.algorithm, key.keyId, key.signsFrom));
}

/** The first of each algorithm, if a rotation is scheduled. */
function rotationSamples({ phases }: WatchedKeyring): Sample[] {
  const scheduled = phases.filter(({ key, state }) => state === 'next' && Number.isFinite(key.signsFrom));
  const byAlgorithm = Map.groupBy(scheduled, ({ key }) => key.algorithm);
  return [...byAlgorithm.values()].map((ofAlgorithm) => {
    const { key } = ofAlgorithm.reduce((one, other) => (other.key.signsFrom < one.key.signsFrom ? other : one));
    return timeSample(key.algorithm, key.keyId, key.signsFrom);
  });
}

function timeSample(alg: string, kid: string, milliseconds: number): Sample {
  return { labels: { alg, kid }, value: milliseconds / 1_000 };
}

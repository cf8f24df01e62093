import { expect, test } from 'vitest';
import { createMetrics } from '../../src/observability/metrics.ts';
import { addKeyringMetrics } from '../../src/service/keyring-metrics.ts';
import { singleKey } from '../../src/tokens/keyring/single-key.ts';
import { changingKeyring, newKey } from '../support/changing-keyring.ts';

const HOUR = 3_600_000;
const start = Date.UTC(2026, 10, 1);
const seconds = start / 1_000;

async function samplesOf(keyring: Parameters<typeof addKeyringMetrics>[1]) {
  const metrics = createMetrics();
  addKeyringMetrics(metrics, keyring);
  const text = await metrics.render();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('the keys of two algorithms are counted by state, with the times of the rotations', async () => {
  let now = start;
  const [old, signing, next, unscheduled] = [
    await newKey('ES256', start - HOUR),
    await newKey('ES256', start),
    await newKey('ES256', start + HOUR),
    await newKey('ES256', Number.POSITIVE_INFINITY),
  ];
  const other = await newKey('EdDSA');
  const changing = changingKeyring([], { retention: HOUR, now: () => now });
  changing.set([old, signing, unscheduled, next, other], { number: 7 });
  expect(await samplesOf(changing.keyring)).toEqual([
    'countersign_keys{alg="ES256",state="next"} 2',
    'countersign_keys{alg="ES256",state="signing"} 1',
    'countersign_keys{alg="ES256",state="retired"} 1',
    'countersign_keys{alg="EdDSA",state="next"} 0',
    'countersign_keys{alg="EdDSA",state="signing"} 1',
    'countersign_keys{alg="EdDSA",state="retired"} 0',
    `countersign_signing_key_info{alg="ES256",kid="${signing.keyId}"} 1`,
    `countersign_signing_key_info{alg="EdDSA",kid="${other.keyId}"} 1`,
    `countersign_signing_key_start_timestamp_seconds{alg="ES256",kid="${signing.keyId}"} ${seconds}`,
    `countersign_key_rotation_timestamp_seconds{alg="ES256",kid="${next.keyId}"} ${seconds + 3_600}`,
    'countersign_keyring_version 7',
  ]);
  now = start + HOUR;
  const later = await samplesOf(changing.keyring);
  expect(later).toContain(
    `countersign_signing_key_start_timestamp_seconds{alg="ES256",kid="${next.keyId}"} ${seconds + 3_600}`,
  );
  // Expired: it waits for the source to remove it.
  expect(later).toContain('countersign_keys{alg="ES256",state="retired"} 1');
  expect(later.join()).not.toContain('rotation');
});

test('a single key signs, since an unknown time, and is not rotated', async () => {
  const { signer } = await newKey('EdDSA');
  if (!signer) throw new Error('a new key signs');
  expect(await samplesOf(singleKey(signer))).toEqual([
    'countersign_keys{alg="EdDSA",state="next"} 0',
    'countersign_keys{alg="EdDSA",state="signing"} 1',
    'countersign_keys{alg="EdDSA",state="retired"} 0',
    `countersign_signing_key_info{alg="EdDSA",kid="${signer.keyId}"} 1`,
  ]);
});

test('no metric contains a private key', async () => {
  const key = await newKey('EdDSA', start);
  const text = (await samplesOf(changingKeyring([key]).keyring)).join();
  expect(text).toContain(key.keyId);
  expect(text).not.toContain(String(key.publicJwk.x));
});

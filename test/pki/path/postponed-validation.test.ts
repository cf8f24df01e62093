import { describe, expect, test } from 'vitest';
import { parseCaCertificate } from '../../../src/pki/certificate/ca-certificate.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { CpuShare } from '../../../src/pki/path/cpu-share.ts';
import { createTrustStore, type TrustStore } from '../../../src/pki/path/trust-store.ts';
import {
  type ChainStatus,
  createChainVerifier,
  type PresentedChain,
  type VerifyChain,
} from '../../../src/pki/path/verify-chain.ts';
import { certificateWork } from '../../support/certificate-work.ts';
import { createTestCa } from '../../support/certificates.ts';

const root = createTestCa({ subject: [['CN', 'Root']] });
const trust = () => createTrustStore([parseCaCertificate(root.der)]);
const now = Date.now();

/** CAs with one name, none of which signed the leaves, so that all are tried. */
const sameName = { subject: [['CN', 'Same']], keyType: 'ec-p384' } satisfies Parameters<typeof createTestCa>[0];
const sent = Array.from({ length: 10 }, () => createTestCa(sameName).der);
const issuer = createTestCa(sameName);

/** CAs that are tried after the root of the same name: its path may expire. */
const sameAsRoot = () =>
  Array.from({ length: 10 }, () => createTestCa({ subject: [['CN', 'Root']], keyType: 'ec-p384' }).der);

const presentedBy = (ca: typeof root, chain: readonly Uint8Array[] = []): PresentedChain => ({
  certificate: parseClientCertificate(ca.issue().der),
  chain,
});
const hostile = () => presentedBy(issuer, sent);
const postponedOf = (status: ChainStatus) => (status.verified ? undefined : status.postponed);

/** Once its CPU time is used up, it stays so for longer than a test takes. */
const verifierOf = (currentTrust: () => TrustStore) =>
  createChainVerifier(currentTrust, undefined, undefined, new CpuShare(1e-9, 10));

/** Verifies hostile chains until their share of CPU time is used up. */
function exhaust(verify: VerifyChain): PresentedChain {
  for (let attempt = 0; attempt < 500; attempt++) {
    const presented = hostile();
    const status = verify(presented, now);
    if (postponedOf(status)) return presented;
    expect(status).toMatchObject({ verified: false, code: expect.stringMatching(/^path_(?:search|signature)/) });
  }
  throw new Error('no validation was postponed');
}

describe('after many failed searches', () => {
  test('a further validation is postponed and gets its exact result in turn, and cached chains are verified', async () => {
    const verify = verifierOf(constant(trust()));
    const cached = presentedBy(root);
    expect(verify(cached, now).verified).toBe(true);
    const postponed = exhaust(verify);
    const status = verify(postponed, now);
    expect(status).toMatchObject({ verified: false, code: 'path_validation_postponed' });
    expect(certificateWork(() => verify(hostile(), now)).verified).toBe(0);
    expect(verify(cached, now).verified).toBe(true);
    const genuine = verify(presentedBy(root), now);
    expect(await postponedOf(genuine)?.validate()).toMatchObject({ verified: true });
    expect(await postponedOf(status)?.validate()).toMatchObject({ code: expect.not.stringMatching(/postponed/) });
  });

  test('an ordinary validation is done before those that were made to be long, although they began before', async () => {
    const verify = verifierOf(constant(trust()));
    const long = [exhaust(verify), ...Array.from({ length: 10 }, hostile)];
    const done: string[] = [];
    const run = async (presented: PresentedChain, name: string) => {
      await postponedOf(verify(presented, now))?.validate();
      done.push(name);
    };
    await Promise.all([...long.map((presented) => run(presented, 'long')), run(presentedBy(root), 'ordinary')]);
    expect(done[0]).toBe('ordinary');
    expect(done).toHaveLength(12);
  });

  test('a long validation is interrupted, so that other work is done meanwhile', async () => {
    const verify = verifierOf(constant(trust()));
    const postponed = postponedOf(verify(exhaust(verify), now));
    let turns = 0;
    const count = () => {
      turns += 1;
      counting = setImmediate(count);
    };
    let counting = setImmediate(count);
    await postponed?.validate();
    clearImmediate(counting);
    // One for each signature.
    expect(turns).toBeGreaterThan(10);
  });

  test('a validation is not done twice at once', async () => {
    const verify = verifierOf(constant(trust()));
    const presented = exhaust(verify);
    const postponed = [verify(presented, now), verify(presented, now)].map(postponedOf);
    const [first, second] = await Promise.all(postponed.map((each) => each?.validate()));
    expect(first).toMatchObject({ verified: false, code: expect.not.stringMatching(/postponed/) });
    expect(second).toEqual(first);
  });

  test('a validation does not verify a path to CAs that were removed meanwhile', async () => {
    let [current, next] = [trust(), undefined as TrustStore | undefined];
    // The search starts with the CAs of before.
    const verify = verifierOf(() => {
      const given = current;
      current = next ?? current;
      return given;
    });
    exhaust(verify);
    const validation = postponedOf(verify(presentedBy(root, sameAsRoot()), now))?.validate();
    next = createTrustStore([parseCaCertificate(createTestCa().der)]);
    expect(await validation).toMatchObject({ verified: false });
  });
});

describe('a certificate of a configured CA', () => {
  const leaf = parseClientCertificate(root.issue().der);
  const others = sameAsRoot();

  test('is searched once in three seconds if that is long, whatever chain is sent with it', () => {
    const verify = createChainVerifier(constant(trust()));
    expect(verify({ certificate: leaf, chain: others }, now).verified).toBe(true);
    const work = certificateWork(() => {
      for (let sent = 0; sent < 10; sent++) verify({ certificate: leaf, chain: others.slice(sent) }, now);
    });
    expect(work.verified).toBe(0);
  });

  test('causes searches only in turn when it is sent with one chain after another', () => {
    const verify = createChainVerifier(constant(trust()));
    let isPostponed = false;
    for (let sent = 0; sent < 2_000 && !isPostponed; sent++) {
      const status = verify({ certificate: leaf, chain: others.slice(0, sent % 3) }, now);
      isPostponed = postponedOf(status) !== undefined;
    }
    expect(isPostponed).toBe(true);
  });
});

describe('certificates of misconfigured clients', () => {
  const usual = ['A', 'B', 'C'].map((name) => createTestCa({ subject: [['CN', name]] }).der);
  const namesake = createTestCa({ subject: [['CN', 'Root']] });

  test.each<[string, () => PresentedChain, string]>([
    ['self-signed', () => presentedBy(createTestCa()), 'path_issuer_unknown'],
    ['of another CA with its chain', () => presentedBy(createTestCa(), usual), 'path_issuer_unknown'],
    ['of another CA with the name of ours', () => presentedBy(namesake), 'path_signature_invalid'],
  ])('are rejected with their reason, however many there are: %s', (_, present, code) => {
    const verify = createChainVerifier(constant(trust()));
    for (let client = 0; client < 60; client++) expect(verify(present(), now)).toMatchObject({ code });
  });

  test('are postponed if a fourth forwarded certificate has to be parsed', () => {
    const verify = createChainVerifier(constant(trust()));
    const chain = [...usual, createTestCa({ subject: [['CN', 'D']] }).der];
    const isPostponed = () => postponedOf(verify(presentedBy(namesake, chain), now)) !== undefined;
    expect(Array.from({ length: 2_000 }, (_, index) => index).some(isPostponed)).toBe(true);
  });
});

test('a certificate for which a long search found no path is not searched again for three seconds, nor kept for other CAs', async () => {
  let current = trust();
  const verify = createChainVerifier(() => current);
  const { certificate, chain } = hostile();
  const rearranged = () => ({ certificate, chain: chain.toReversed() });
  const first = verify({ certificate, chain }, now);
  expect(first).toMatchObject({ verified: false, code: expect.not.stringMatching(/postponed/) });
  for (const at of [now, now + 2_999]) {
    const { verified } = certificateWork(() => expect(verify(rearranged(), at)).toEqual(first));
    expect(verified).toBe(0);
  }
  // On a slow machine, the next search is postponed.
  const settled = async (at: number) => {
    const status = verify(rearranged(), at);
    return (await postponedOf(status)?.validate()) ?? status;
  };
  current = createTrustStore([...trust().anchors, parseCaCertificate(issuer.der)]);
  expect(await settled(now)).toMatchObject({ verified: true });
  current = trust();
  expect(await settled(now)).toEqual(first);
  let status: ChainStatus | undefined;
  const { verified } = certificateWork(() => {
    status = verify(rearranged(), now + 3_000);
  });
  expect(verified > 0 || (status && postponedOf(status)) !== undefined).toBe(true);
});

function constant<Value>(value: Value): () => Value {
  return () => value;
}

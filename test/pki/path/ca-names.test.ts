import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCaCertificate } from '../../../src/pki/certificate/ca-certificate.ts';
import { parseSignedCrl } from '../../../src/pki/crl/crl.ts';
import { createTrustStore, loadTrustStore } from '../../../src/pki/path/trust-store.ts';
import { createTestCa, type TestCa, toPem } from '../../support/certificates.ts';
import { createCrl } from '../../support/crls.ts';
import { der, objectIdentifier, sequence, setOf } from '../../support/der.ts';
import type { NameParts } from '../../support/distinguished-name.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { verifyChain } from '../../support/verify-chain.ts';

const folder = temporaryDirectory();

function trustStoreOf(name: string, cas: readonly { readonly pem: string }[]) {
  const path = join(folder, `${name}.pem`);
  writeFileSync(path, cas.map(({ pem }) => pem).join(''));
  return loadTrustStore(path).store;
}

const commonName = (...value: Uint8Array[]) => sequence(setOf(sequence(objectIdentifier('2.5.4.3'), ...value)));

/** Names that can identify no client. */
const caNames: readonly [string, NameParts | Uint8Array][] = [
  [
    'two OUs in one RDN',
    [
      ['O', 'Acme'],
      [
        ['OU', 'PKI'],
        ['OU', 'Services'],
      ],
    ],
  ],
  [
    'the same OU twice in one RDN',
    [
      [
        ['OU', 'PKI'],
        ['OU', 'PKI'],
      ],
    ],
  ],
  ['_ in a PrintableString', [['CN', 'acme_root_ca', 'printable']]],
  ['& in a PrintableString', [['O', 'Synthetic & Company', 'printable']]],
  ['@ and * in a PrintableString', [['CN', '*@acme', 'printable']]],
  [
    'an empty value',
    [
      ['OU', ''],
      ['CN', 'Root'],
    ],
  ],
  ['a value of spaces', [['CN', '  ']]],
  ['a NUL in a value', [['CN', 'Root\0']]],
  ['a zero-width space', [['CN', 'Ro\u200bot']]],
  ['an IA5String with 8 bits', [['emailAddress', Buffer.of(0xe4)]]],
  ['a letter in a NumericString', [['serialNumber', '1a', 'numeric']]],
  ['a SEQUENCE as a value', commonName(sequence(der(0x02, Buffer.of(1))))],
  [
    'an unknown type',
    [
      ['1.3.6.1.4.1.99999.1', 'x'],
      ['CN', 'Root'],
    ],
  ],
  ['an RDN without attributes', [['CN', 'Root'], []]],
  ['65 attributes', Array.from({ length: 65 }, (_, index) => ['OU', `${index}`] as const)],
  ['a value of 5,000 characters', [['CN', 'x'.repeat(5_000)]]],
];

describe('a CA whose name has', () => {
  test.each(caNames)('%s is an anchor, and verifies clients directly and through an intermediate', (name, subject) => {
    const root = createTestCa({ subject });
    const below = root.issueIntermediate();
    const { anchors } = trustStoreOf(name, [root]);
    expect(anchors.map(({ thumbprint }) => thumbprint)).toEqual([root.thumbprint]);
    expect(verifyChain({ configured: [root], leaf: root.issue() }).reason).toMatch(/^path to anchor/);
    expect(verifyChain({ configured: [root, below], leaf: below.issue() }).reason).toMatch(/^path to anchor/);
    expect(verifyChain({ configured: [root], leaf: below.issue(), forwarded: [below] }).verified).toBe(true);
  });

  test.each(caNames)('%s is an intermediate, configured or forwarded', (_, subject) => {
    const root = createTestCa();
    const below = root.issueIntermediate({ subject });
    expect(verifyChain({ configured: [root, below], leaf: below.issue() }).verified).toBe(true);
    expect(verifyChain({ configured: [root], leaf: below.issue(), forwarded: [below] }).verified).toBe(true);
  });

  test.each(caNames)('%s does not verify the clients of another CA with this name', (_, subject) => {
    const [root, other] = [createTestCa({ subject }), createTestCa({ subject })];
    expect(verifyChain({ configured: [root], leaf: other.issue() }).reason).toContain('is not signed by the key');
  });

  test.each(caNames)('%s is found by the issuer of its CRL', (_, subject) => {
    const root = createTestCa({ subject });
    const { issuer } = parseSignedCrl(createCrl(root));
    const found = createTrustStore([parseCaCertificate(root.der)]).findBySubject(issuer);
    expect(found.map(({ thumbprint }) => thumbprint)).toEqual([root.thumbprint]);
  });

  test.each(caNames)('%s rolls over its key without lengthening the path', (_, subject) => {
    const root = createTestCa({ subject, pathLength: 0 });
    const next = root.issueIntermediate({ subject });
    expect(verifyChain({ configured: [root, next], leaf: next.issue() }).verified).toBe(true);
    const below = root.issueIntermediate();
    expect(verifyChain({ configured: [root, below], leaf: below.issue() }).reason).toContain('allows 0 intermediates');
  });
});

describe('names that are not the same bytes', () => {
  const root = createTestCa({ subject: [['CN', 'acme_root', 'printable']] });
  const leafOf = (ca: TestCa, issuerName: NameParts) => ({ configured: [ca], leaf: ca.issue({ issuerName }) });

  test('chain if both are comparable and differ only in case and string type', () => {
    const plain = createTestCa({ subject: [['CN', 'Acme Root', 'printable']] });
    expect(verifyChain(leafOf(plain, [['CN', 'ACME  root']])).verified).toBe(true);
  });

  test('do not chain if one is not comparable, and the reason is named', () => {
    expect(verifyChain(leafOf(root, [['CN', 'acme_Root', 'printable']])).reason).toContain(
      'chains only to the same bytes: the value of CN is not a valid PrintableString',
    );
    expect(verifyChain(leafOf(root, [['CN', 'acme_root']])).reason).toContain('has no known issuer: "CN=acme_root"');
  });
});

describe('an empty name', () => {
  const nameless = createTestCa({ subject: [] });

  test('is not accepted as that of a CA', () => {
    expect(() => parseCaCertificate(nameless.der)).toThrow('has an empty subject');
    expect(() => trustStoreOf('nameless', [nameless])).toThrow(/nameless\.pem: has an empty subject.*§4\.1\.2\.6/);
  });

  test('of an issuer matches no CA', () => {
    const { reason } = verifyChain({ configured: [createTestCa()], leaf: nameless.issue() });
    expect(reason).toBe('the certificate has an empty issuer name, which names no CA (RFC 5280 §6.1.3 (a)(4))');
  });
});

describe('a CA file without an anchor is rejected', () => {
  const root = createTestCa({ subject: [['CN', 'Absent']] });

  test('with the name of the missing root', () => {
    const below = root.issueIntermediate();
    expect(() => trustStoreOf('below', [below, below.issueIntermediate({ subject: [['CN', 'Deeper']] })])).toThrow(
      /below\.pem contains only intermediates; add the self-signed root of their chain: "CN=Absent"$/,
    );
  });

  test('with the reason, if a root in it is corrupted', () => {
    const corrupted = { pem: toPem(Buffer.concat([root.der.subarray(0, -1), Buffer.of((root.der.at(-1) ?? 0) ^ 1)])) };
    expect(() => trustStoreOf('corrupted', [corrupted])).toThrow(
      'contains no trust anchor: "CN=Absent" names itself as its issuer, but is not signed by its own key',
    );
  });

  test('if its intermediates certify each other', () => {
    const other = createTestCa({ subject: [['CN', 'Other']] });
    const loop = [root.issueIntermediate({ ...other }), other.issueIntermediate({ ...root })];
    expect(() => trustStoreOf('loop', loop)).toThrow(/contains only intermediates; add a self-signed root$/);
  });
});

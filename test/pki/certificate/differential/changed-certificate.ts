import fc from 'fast-check';
import { type CertificateOptions, createTestCa } from '../../../support/certificates.ts';
import { bitString, sequence } from '../../../support/der.ts';
import { type KeyType, signatureOver } from '../../../support/keys.ts';
import { certificateChange } from '../../path/differential/certificate-changes.ts';
import { elementsOf, encodeElement, type MutableElement, parseElement } from './mutable-element.ts';

/** A certificate that was changed byte by byte, or element by element, and often signed again. */
export interface ChangedCertificate {
  readonly der: Uint8Array;
}

const keyTypes: readonly KeyType[] = [
  ...(['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-pss-2048'] as const),
  ...(['ed25519', 'ed448', 'ml-dsa-44'] as const),
];
/** Of one key type each. */
export const cas = keyTypes.map((keyType) => createTestCa({ keyType, subject: [['CN', `CA ${keyType}`]] }));

/** Tags of all types that certificates use, and some that they do not. */
const tags = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x0d, 0x10, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a,
  0x1b, 0x1c, 0x1e, 0x30, 0x31, 0x80, 0x81, 0x82, 0x83, 0x86, 0x87, 0xa0, 0xa1, 0xa3, 0xa4,
];

/** Contents at the border of what a type allows. */
const contents = [
  '',
  '00',
  'ff',
  '01',
  '80',
  '7f',
  '0001',
  '00ff',
  'ff80',
  '0080',
  '8001',
  '0500',
  'c3',
  'd800',
  '00110000',
  '0101',
  '07ff',
];

const change = fc.record({
  kind: fc.constantFrom('tag', 'content', 'byte', 'bit', 'remove', 'repeat', 'swap', 'graft', 'append'),
  /** Which element, and which byte of it. */
  at: fc.nat(10_000),
  other: fc.nat(10_000),
  value: fc.nat(255),
} as const);

type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

/** `sameAlgorithm`: the algorithm within the signed part becomes that outside of it. */
const plan = fc.record({
  ca: fc.nat(cas.length - 1),
  isCa: fc.nat(3).map((number) => number === 0),
  leafKey: fc.constantFrom<KeyType>(...keyTypes),
  options: fc.array(certificateChange, { maxLength: 2 }),
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  sameAlgorithm: fc.boolean(),
  signedAgain: fc.boolean(),
});

export const changedCertificate: fc.Arbitrary<ChangedCertificate> = plan.map(
  ({ ca: index, isCa, leafKey, options, changes, sameAlgorithm, signedAgain }) => {
    const ca = cas[index] ?? createTestCa();
    const all: CertificateOptions = Object.assign({ ca: isCa }, ...options.map((each) => each.options));
    const root = parseElement(ca.issue({ ...all, keyType: leafKey, reuseKey: true }).der);
    for (const each of changes) apply(root, each);
    const [tbs, algorithm] = root.children ?? [];
    if (sameAlgorithm && tbs?.children?.[2] && algorithm) root.children?.splice(1, 1, tbs.children[2]);
    if (!signedAgain || !tbs || !algorithm) return { der: encodeElement(root) };
    const signed = encodeElement(tbs);
    const signature = bitString(signatureOver(signed, ca.keys.privateKey, 'SHA-256'));
    return { der: sequence(signed, encodeElement(algorithm), signature) };
  },
);

/** Changes one element, or the children of it, where the change has a meaning. */
function apply(root: MutableElement, { kind, at, other, value }: Change): void {
  const all = elementsOf(root);
  const element = all[at % all.length] ?? root;
  const siblings = element.children ?? [];
  const [sibling] = siblings.slice(other % Math.max(1, siblings.length));
  const grafted = all[other % all.length] ?? root;
  const edits: Readonly<Record<Change['kind'], () => void>> = {
    tag: () => Object.assign(element, { tag: tags[value % tags.length] }),
    content: () =>
      Object.assign(element, { children: undefined, content: hex(contents[value % contents.length] ?? '') }),
    byte: () => changeByte(element, other, () => value),
    bit: () => changeByte(element, other, (byte) => byte ^ (1 << (value & 7))),
    append: () => Object.assign(element, { content: Buffer.concat([element.content, Buffer.of(value)]) }),
    remove: () => siblings.splice(siblings.indexOf(sibling ?? element), sibling ? 1 : 0),
    repeat: () => siblings.push(...(sibling ? [sibling] : [])),
    swap: () => siblings.reverse(),
    graft: () =>
      siblings.splice(value % (siblings.length + 1), 0, ...(elementsOf(grafted).includes(element) ? [] : [grafted])),
  };
  edits[kind]();
}

function changeByte(element: MutableElement, at: number, change: (byte: number) => number): void {
  const content = Buffer.from(element.content);
  const index = at % Math.max(1, content.length);
  if (content.length > 0) content[index] = change(content[index] ?? 0);
  element.content = content;
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

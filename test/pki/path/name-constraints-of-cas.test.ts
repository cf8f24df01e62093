import { describe, expect, test } from 'vitest';
import { parseCaCertificate } from '../../../src/pki/certificate/ca-certificate.ts';
import { createTestCa } from '../../support/certificates.ts';
import { der, integer, sequence } from '../../support/der.ts';
import { type GeneralName, generalName, nameConstraints, rawNameConstraints } from '../../support/general-names.ts';
import { verifyChain } from '../../support/verify-chain.ts';

const { dns, uri, email, directory, ip } = generalName;
const root = createTestCa({ subject: [['CN', 'Root']] });
const clientsOnly = { extraExtensions: [nameConstraints({ permitted: [directory([['O', 'Clients']])] })] };
const client = { subject: [['O', 'Clients']] } as const;

describe('name constraints', () => {
  const constrained = root.issueIntermediate({ subject: [['CN', 'Issuing']], ...clientsOnly });
  const renewed = constrained.issueIntermediate({ subject: [['CN', 'Issuing']] });
  const named = constrained.issueIntermediate({ subject: [['CN', 'Below']] });
  const within = constrained.issueIntermediate({ subject: [['O', 'Clients']] });
  const constrainedRoot = createTestCa({ subject: [['CN', 'Constrained root']], ...clientsOnly });
  const tighter = within.issueIntermediate({
    subject: client.subject,
    extraExtensions: [nameConstraints({ permitted: [dns('example.com')] })],
  });

  test('do not apply to a self-issued intermediate', () => {
    expect(verifyChain({ configured: [root, constrained, renewed], leaf: renewed.issue(client) }).verified).toBe(true);
  });

  test('apply to a self-issued leaf', () => {
    const leaf = constrained.issue({ subject: [['CN', 'Issuing']] });
    expect(verifyChain({ configured: [root, constrained], leaf })).toMatchObject({
      reason: expect.stringMatching(
        /^the certificate has a distinguished name outside the permitted subtrees of CA "CN=Issuing"/,
      ),
    });
  });

  test('apply to an intermediate with another name', () => {
    expect(verifyChain({ configured: [root, constrained, named], leaf: named.issue(client) })).toMatchObject({
      reason: expect.stringMatching(/^CA "CN=Below" \(1 above the certificate\) has a distinguished name outside/),
    });
  });

  test('apply below an intermediate without constraints', () => {
    const pki = { configured: [root, constrained, within] };
    expect(verifyChain({ ...pki, leaf: within.issue(client) }).verified).toBe(true);
    expect(verifyChain({ ...pki, leaf: within.issue() }).verified).toBe(false);
  });

  test('of an anchor apply to certificates below it (RFC 5937 §3)', () => {
    expect(verifyChain({ configured: [constrainedRoot], leaf: constrainedRoot.issue(client) }).verified).toBe(true);
    expect(verifyChain({ configured: [constrainedRoot], leaf: constrainedRoot.issue() }).verified).toBe(false);
  });

  test('of all CAs apply together', () => {
    const configured = [root, constrained, within, tighter];
    const accepts = (names: object) => verifyChain({ configured, leaf: tighter.issue(names) }).verified;
    expect(accepts({ ...client, dns: ['a.example.com'] })).toBe(true);
    expect(accepts({ ...client, dns: ['a.example.org'] })).toBe(false);
    expect(accepts({ dns: ['a.example.com'] })).toBe(false);
  });
});

describe('a CA certificate with malformed name constraints is rejected:', () => {
  const permitted = (...subtrees: Uint8Array[]) => der(0xa0, ...subtrees);
  const excluded = (...subtrees: Uint8Array[]) => der(0xa1, ...subtrees);
  const only = (base: GeneralName) => nameConstraints({ excluded: [base] });
  const base = dns('example.com');
  const minimumOfZero = der(0x80, Buffer.of(0));
  test.each([
    ['neither list', rawNameConstraints()],
    ['an empty list', rawNameConstraints(permitted())],
    ['an empty list beside a full one', rawNameConstraints(permitted(sequence(base)), excluded())],
    ['the lists in the wrong order', rawNameConstraints(excluded(sequence(base)), permitted(sequence(base)))],
    ['a repeated list', rawNameConstraints(permitted(sequence(base)), permitted(sequence(base)))],
    ['an unknown list', rawNameConstraints(der(0xa2, sequence(base)))],
    ['an empty subtree', rawNameConstraints(permitted(sequence()))],
    ['a base without its subtree', rawNameConstraints(permitted(base))],
    ['a minimum of no bytes', rawNameConstraints(permitted(sequence(base, der(0x80))))],
    [
      'a maximum after a minimum',
      rawNameConstraints(permitted(sequence(base, minimumOfZero, der(0x81, Buffer.of(5))))),
    ],
    ['two minima', rawNameConstraints(permitted(sequence(base, minimumOfZero, minimumOfZero)))],
    ['a minimum of 1', rawNameConstraints(permitted(sequence(base, der(0x80, Buffer.of(1)))))],
    ['a maximum', rawNameConstraints(excluded(sequence(base, der(0x81, Buffer.of(5)))))],
    ['not a sequence', { ...rawNameConstraints(), value: integer(1n) }],
    ['a mask with gaps', only(der(0x87, Buffer.of(10, 0, 0, 0, 255, 0, 255, 0)))],
    ['a mask with a gap inside a byte', only(der(0x87, Buffer.of(10, 0, 0, 0, 0b10100000, 0, 0, 0)))],
    ['an address without its mask', only(ip('10.0.0.1'))],
    ['an address of 5 bytes', only(der(0x87, Buffer.alloc(10)))],
    ['a DNS name with a wildcard', only(dns('*.example.com'))],
    ['a DNS name that ends in a dot', only(dns('example.com.'))],
    ['a DNS name with two dots before it', only(dns('..example.com'))],
    ['a URI for a host', only(uri('https://example.com'))],
    ['a host with its port', only(uri('example.com:443'))],
    ['an email address without a mailbox', only(email('@example.com'))],
    ['a mailbox at a domain', only(email('a@.example.com'))],
    ['a name with a control character', only(dns('example.com\0'))],
  ])('%s', (_, extension) => {
    const { der: ca } = root.issueIntermediate({ extraExtensions: [extension] });
    expect(() => parseCaCertificate(ca)).toThrow(/^its name constraints are malformed: |not DER/);
  });

  test('but not a default minimum that is written out', () => {
    const extension = rawNameConstraints(permitted(sequence(base, minimumOfZero)));
    const ca = parseCaCertificate(root.issueIntermediate({ extraExtensions: [extension] }).der);
    expect(ca.nameConstraints?.permitted).toEqual([{ kind: 'dns', base: 'example.com' }]);
  });
});

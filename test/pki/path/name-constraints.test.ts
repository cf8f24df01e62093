import { describe, expect, test } from 'vitest';
import { type CertificateOptions, createTestCa } from '../../support/certificates.ts';
import { der } from '../../support/der.ts';
import type { NameParts } from '../../support/distinguished-name.ts';
import {
  alternativeNames,
  type GeneralName,
  generalName,
  nameConstraints,
  type Subtrees,
  unknownOtherName,
} from '../../support/general-names.ts';
import { verifyChain } from '../../support/verify-chain.ts';

const { dns, uri, email, ip, directory, registeredId, utf8Mailbox } = generalName;
const root = createTestCa();

function verifyBelow(subtrees: Subtrees, leaf: CertificateOptions) {
  const ca = root.issueIntermediate({ extraExtensions: [nameConstraints(subtrees)] });
  return verifyChain({ configured: [root, ca], leaf: ca.issue(leaf) });
}

const outside = { verified: false, reason: expect.stringMatching(/outside the permitted subtrees.*§4\.2\.1\.10/) };
const excluded = { verified: false, reason: expect.stringMatching(/within an excluded subtree.*§4\.2\.1\.10/) };
const accepted = { verified: true };

/** The results for a leaf below a CA with only this permitted subtree, and below one with only this excluded subtree. */
const outcomes = {
  within: { permitted: accepted, excluded },
  outside: { permitted: outside, excluded: accepted },
  /** A name that cannot be compared. */
  unclear: { permitted: outside, excluded },
  /** The subtree does not apply to the leaf's names. */
  unconstrained: { permitted: accepted, excluded: accepted },
} as const;

type Row = [base: GeneralName, leaf: CertificateOptions, outcome: keyof typeof outcomes];
const subject = (...name: [string, string][]) => ({ subject: name });
const san = (...names: GeneralName[]) => ({ extraExtensions: [alternativeNames(...names)] });

const dnsRows: Row[] = [
  [dns('example.com'), { dns: ['example.com'] }, 'within'],
  [dns('example.com'), { dns: ['a.b.example.com'] }, 'within'],
  [dns('EXAMPLE.com'), { dns: ['a.Example.COM'] }, 'within'],
  [dns('example.com'), { dns: ['badexample.com'] }, 'outside'],
  [dns('example.com'), { dns: ['com'] }, 'outside'],
  [dns('.example.com'), { dns: ['a.example.com'] }, 'within'],
  [dns('.example.com'), { dns: ['example.com'] }, 'outside'],
  [dns('.example.com'), { dns: ['aexample.com'] }, 'outside'],
  [dns(''), { dns: ['a.example.com'] }, 'within'],
  [dns('example.com'), san(dns('a.example.com\0')), 'unclear'],
  [dns('example.com'), san(der(0x82, Buffer.of(0xe4))), 'unclear'],
  [dns(''), { uris: ['https://example.com/'] }, 'unconstrained'],
  [dns('example.com'), { dns: ['*.example.com'] }, 'within'],
  [dns('.example.com'), { dns: ['*.example.com'] }, 'within'],
  [dns('a.example.com'), { dns: ['*.example.com'] }, 'unclear'],
  [dns('.a.example.com'), { dns: ['*.example.com'] }, 'unclear'],
  [dns('example.com'), { dns: ['*.example.org'] }, 'outside'],
  [dns('example.com'), { dns: ['*'] }, 'unclear'],
  [dns('example.com'), { dns: ['a.*.example.com'] }, 'unclear'],
  [dns('example.com'), { dns: ['.example.com'] }, 'unclear'],
  [dns('example.com'), { dns: ['a.example.com.'] }, 'unclear'],
  [dns('example.com'), { dns: ['a..example.com'] }, 'unclear'],
  [dns('example.com'), { dns: ['example.com/a'] }, 'unclear'],
  [dns('example.com'), { dns: [`${'a.'.repeat(130)}example.com`] }, 'unclear'],
  [dns('example.com'), { dns: ['a.example.com', 'b.example.com'] }, 'within'],
  [dns('example.com'), {}, 'unconstrained'],
];

/** Of a leaf without a DNS name the CN counts where it could be one. */
const commonNameRows: Row[] = [
  [dns('example.com'), subject(['CN', 'a.example.com']), 'within'],
  [dns('example.com'), subject(['CN', 'A.Example.com']), 'within'],
  [dns('example.com'), subject(['CN', 'a.example.org']), 'outside'],
  [dns('example.com'), subject(['CN', '*.com']), 'unclear'],
  [dns('example.com'), subject(['CN', 'Billing service']), 'unconstrained'],
  [dns('example.com'), subject(['CN', 'localhost']), 'unconstrained'],
  [dns('example.com'), subject(['O', 'a.example.org']), 'unconstrained'],
  [dns('example.com'), { ...subject(['CN', 'a.example.org']), dns: ['a.example.com'] }, 'within'],
  [dns('example.com'), { ...subject(['CN', 'a.example.org']), uris: ['urn:a'] }, 'outside'],
  [dns('example.com'), subject(['CN', `${'a'.repeat(300)}.example.org`]), 'unclear'],
];

const uriRows: Row[] = [
  [uri('example.com'), { uris: ['https://example.com/a?b#c'] }, 'within'],
  [uri('Example.com'), { uris: ['HTTPS://EXAMPLE.com'] }, 'within'],
  [uri('example.com'), { uris: ['spiffe://example.com/client'] }, 'within'],
  [uri('example.com'), { uris: ['https://user:pass@example.com:8443/'] }, 'within'],
  [uri('example.com'), { uris: ['https://a.example.com/'] }, 'outside'],
  [uri('.example.com'), { uris: ['https://a.example.com/'] }, 'within'],
  [uri('.example.com'), { uris: ['https://example.com/'] }, 'outside'],
  [uri('example.com'), { uris: ['https://example.com@example.org/'] }, 'outside'],
  [uri('example.com'), { uris: ['https://example.org/example.com'] }, 'outside'],
  [uri('example.com'), { uris: ['https://example.org#@example.com/'] }, 'outside'],
  [uri('example.com'), { uris: ['https://example.org\\@example.com/'] }, 'unclear'],
  [uri('example.com'), { uris: ['https://a@b@example.com/'] }, 'unclear'],
  [uri('example.com'), { uris: ['https://192.0.2.1/'] }, 'unclear'],
  [uri('example.com'), { uris: ['https://[2001:db8::1]/'] }, 'unclear'],
  [uri('example.com'), { uris: ['https://exampl%65.com/'] }, 'unclear'],
  [uri('example.com'), { uris: ['https://example.com:port/'] }, 'unclear'],
  [uri('example.com'), { uris: ['https:///path'] }, 'unclear'],
  [uri('example.com'), { uris: ['urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'] }, 'unclear'],
  [uri(''), { uris: ['https://example.com/'] }, 'unclear'],
  [uri(''), { uris: ['urn:a'] }, 'unclear'],
  [uri('example.com'), { dns: ['example.org'] }, 'unconstrained'],
];

const emailRows: Row[] = [
  [email('a@example.com'), { emails: ['a@example.com'] }, 'within'],
  [email('a@EXAMPLE.com'), { emails: ['a@Example.COM'] }, 'within'],
  [email('a@example.com'), { emails: ['A@example.com'] }, 'outside'],
  [email('a@example.com'), { emails: ['b@example.com'] }, 'outside'],
  [email('a@example.com'), { emails: ['"a"@example.com'] }, 'unclear'],
  [email('a@example.com'), { emails: ['"a"@example.org'] }, 'outside'],
  [email('example.com'), { emails: ['a@example.com'] }, 'within'],
  [email('example.com'), { emails: ['a@b.example.com'] }, 'outside'],
  [email('.example.com'), { emails: ['a@b.example.com'] }, 'within'],
  [email('.example.com'), { emails: ['a@example.com'] }, 'outside'],
  [email('example.com'), { emails: ['"a@example.com"@example.org'] }, 'outside'],
  [email('example.com'), { emails: ['a@[192.0.2.1]'] }, 'unclear'],
  [email('example.com'), { emails: ['a@b@example.com'] }, 'unclear'],
  [email('example.com'), { emails: ['a b@example.com'] }, 'unclear'],
  [email('example.com'), { emails: ['example.com'] }, 'unclear'],
  [email('example.com'), { emails: ['@example.com'] }, 'unclear'],
  [email(''), { emails: ['a@example.com'] }, 'unclear'],
  [email('example.com'), san(der(0x81, Buffer.from('ä@example.com'))), 'unclear'],
  [email('example.com'), subject(['CN', 'client'], ['emailAddress', 'a@example.com']), 'within'],
  [email('example.com'), subject(['CN', 'client'], ['emailAddress', 'a@Example.COM']), 'within'],
  [email('example.com'), subject(['CN', 'client'], ['emailAddress', 'a@example.org']), 'outside'],
  [email('example.com'), subject(['CN', 'client'], ['emailAddress', 'client']), 'unclear'],
  [email('example.com'), san(utf8Mailbox('ä@example.com')), 'unclear'],
  [email('example.com'), subject(['CN', 'a@example.org']), 'unconstrained'],
];

const addressRows: Row[] = [
  [ip('10.0.0.0/8'), { ips: ['10.255.0.1'] }, 'within'],
  [ip('10.0.0.0/8'), { ips: ['11.0.0.1'] }, 'outside'],
  [ip('10.0.0.0/9'), { ips: ['10.128.0.1'] }, 'outside'],
  [ip('192.0.2.7/32'), { ips: ['192.0.2.7'] }, 'within'],
  [ip('192.0.2.7/32'), { ips: ['192.0.2.6'] }, 'outside'],
  [ip('10.9.9.9/8'), { ips: ['10.0.0.1'] }, 'within'],
  [ip('0.0.0.0/0'), { ips: ['192.0.2.7'] }, 'within'],
  [ip('0.0.0.0/0'), { ips: ['2001:db8::1'] }, 'outside'],
  [ip('2001:db8::/32'), { ips: ['2001:db8:ffff::1'] }, 'within'],
  [ip('2001:db8::/32'), { ips: ['2001:db9::1'] }, 'outside'],
  [ip('2001:db8::/33'), { ips: ['2001:db8:8000::1'] }, 'outside'],
  [ip('::/0'), { ips: ['::1'] }, 'within'],
  [ip('::/0'), { ips: ['192.0.2.7'] }, 'outside'],
  [ip('::/1'), { ips: ['::ffff:c000:207'] }, 'within'],
  [ip('10.0.0.0/8'), { dns: ['10.0.0.1'] }, 'unconstrained'],
  [ip('10.0.0.0/8'), san(der(0x87, Buffer.of(10, 0, 0, 0, 255))), 'unclear'],
  [ip('10.0.0.0/8'), san(ip('10.0.0.0/8')), 'unclear'],
];

/** Names without a canonical form. */
const oddOurs = [['O', 'Our_s', 'printable']] as const;
const twoUnits: NameParts = [
  ['O', 'Ours'],
  [
    ['OU', 'PKI'],
    ['OU', 'Services'],
  ],
];

const ours = [
  ['C', 'GB'],
  ['O', 'Ours'],
] as const;
const directoryRows: Row[] = [
  [directory(ours), subject(['C', 'GB'], ['O', 'Ours'], ['CN', 'a']), 'within'],
  [directory(ours), subject(['C', 'GB'], ['O', 'Ours']), 'within'],
  [directory(ours), subject(['C', 'GB'], ['O', '  oURS '], ['CN', 'a']), 'within'],
  [directory(ours), subject(['C', 'GB'], ['O', 'Ours Ltd'], ['CN', 'a']), 'outside'],
  [directory(ours), subject(['O', 'Ours'], ['C', 'GB'], ['CN', 'a']), 'outside'],
  [directory(ours), subject(['C', 'GB']), 'outside'],
  [directory(ours), subject(['CN', 'a'], ['C', 'GB'], ['O', 'Ours']), 'outside'],
  // A part of the name that cannot be compared matters only where the base has one.
  [directory(ours), subject(['C', 'GB'], ['O', 'Ours'], ['CN', 'a\u200b']), 'within'],
  [directory(ours), subject(['C', 'GB'], ['O', 'Ou\u200brs'], ['CN', 'a']), 'unclear'],
  [directory(ours), subject(['C', 'FR'], ['O', 'Ou\u200brs'], ['CN', 'a']), 'outside'],
  [directory(ours), subject(['O', 'Ours\u200b']), 'outside'],
  [directory(oddOurs), { subject: [...oddOurs, ['CN', 'a']] }, 'within'],
  [
    directory(oddOurs),
    {
      subject: [
        ['O', 'our_s', 'printable'],
        ['CN', 'a'],
      ],
    },
    'unclear',
  ],
  [directory(oddOurs), subject(['O', 'our_s'], ['CN', 'a']), 'unclear'],
  [directory(twoUnits), { subject: [...twoUnits, ['CN', 'a']] }, 'within'],
  [directory(twoUnits), subject(['O', 'Ours'], ['OU', 'PKI'], ['CN', 'a']), 'outside'],
  [directory(ours), { subject: [['OU', ''], ...ours] }, 'outside'],
  [directory(twoUnits), subject(['O', 'Others'], ['OU', 'PKI'], ['CN', 'a']), 'outside'],
  [directory(ours), { ...subject(), dns: ['a.example.com'] }, 'unconstrained'],
  [directory(ours), { ...subject(...ours.map(([type, value]): [string, string] => [type, value])) }, 'within'],
  [directory([]), subject(['CN', 'anybody']), 'within'],
  [directory(ours), { ...subject(), ...san(directory([...ours, ['CN', 'a']])) }, 'within'],
  [directory(ours), { ...subject(), ...san(directory([['O', 'Others']])) }, 'outside'],
];

const userPrincipalName = generalName.other('1.3.6.1.4.1.311.20.2.3', der(0x0c, Buffer.from('host@EXAMPLE.COM')));
/** As FreeIPA writes into every certificate. */
const kerberosName = generalName.other('1.3.6.1.5.2.2', der(0x1b, Buffer.from('host/a.example.com@EXAMPLE.COM')));
const withoutType = der(0xa0, der(0xa0, der(0x0c, Buffer.from('a'))));

const otherFormRows: Row[] = [
  [unknownOtherName, san(unknownOtherName), 'unclear'],
  [unknownOtherName, san(utf8Mailbox('ä@example.com')), 'unconstrained'],
  [userPrincipalName, san(kerberosName), 'unconstrained'],
  [userPrincipalName, san(kerberosName, userPrincipalName), 'unclear'],
  [userPrincipalName, san(withoutType), 'unclear'],
  [withoutType, san(kerberosName), 'unclear'],
  [unknownOtherName, san(registeredId('1.2.3')), 'unconstrained'],
  [unknownOtherName, { dns: ['a.example.com'] }, 'unconstrained'],
  [registeredId('1.2.3'), san(registeredId('1.2.3')), 'unclear'],
  [registeredId('1.2.3'), san(unknownOtherName), 'unconstrained'],
];

describe.each<[string, Row[]]>([
  ['DNS names', dnsRows],
  ['CNs', commonNameRows],
  ['URIs', uriRows],
  ['email addresses', emailRows],
  ['IP addresses', addressRows],
  ['distinguished names', directoryRows],
  ['name forms that cannot be compared', otherFormRows],
])('name constraints on %s', (_, rows) => {
  test.each(rows.map(([base, ...rest]) => [printable(base), ...rest, base] as const))(
    '%s, %j: %s',
    (_, leaf, outcome, base) => {
      expect(verifyBelow({ permitted: [base] }, leaf)).toMatchObject(outcomes[outcome].permitted);
      expect(verifyBelow({ excluded: [base] }, leaf)).toMatchObject(outcomes[outcome].excluded);
    },
  );
});

function printable(name: GeneralName): string {
  return Buffer.from(name)
    .toString('latin1', 2)
    .replace(/[^ -~]/g, '.');
}

describe('name constraints with several subtrees', () => {
  const [com, org] = [dns('example.com'), dns('example.org')];
  test.each<[string, Subtrees, CertificateOptions, object]>([
    ['accept a name within one of two', { permitted: [com, org] }, { dns: ['a.example.org'] }, accepted],
    ['reject a name within none of two', { permitted: [com, org] }, { dns: ['a.example.net'] }, outside],
    [
      'reject a certificate with one of two names outside',
      { permitted: [com] },
      { dns: ['example.com', 'example.org'] },
      outside,
    ],
    [
      'reject a certificate with one of two names excluded',
      { excluded: [com] },
      { dns: ['example.org', 'example.com'] },
      excluded,
    ],
    [
      'reject a name that is permitted and excluded',
      { permitted: [com], excluded: [com] },
      { dns: ['example.com'] },
      excluded,
    ],
    [
      'accept a permitted name outside an excluded part',
      { permitted: [com], excluded: [dns('a.example.com')] },
      { dns: ['b.example.com'] },
      accepted,
    ],
    [
      'accept a name of an unconstrained form',
      { permitted: [com] },
      { ips: ['192.0.2.1'], dns: ['example.com'] },
      accepted,
    ],
    [
      'apply to each form separately',
      { permitted: [com, ip('10.0.0.0/8')] },
      { dns: ['example.com'], ips: ['::1'] },
      outside,
    ],
  ])('%s', (_, subtrees, leaf, outcome) => {
    expect(verifyBelow(subtrees, leaf)).toMatchObject(outcome);
  });
});

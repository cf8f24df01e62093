import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { decodeXfcc } from '../../../src/terminator/encodings/xfcc.ts';
import { createTestCa, type MintedCertificate, selfSigned } from '../../support/certificates.ts';

const fixes = { certificateMissing: '', secondElement: '' };
const ca = createTestCa();
const attacker = ca.issue();
const victim = selfSigned();

const hashOf = ({ der }: MintedCertificate) => createHash('sha256').update(der).digest('hex');
const escapes = new Map([attacker, victim, ca].map(({ pem }) => [pem, encodeURIComponent(pem)]));
const escaped = ({ pem }: MintedCertificate) => escapes.get(pem) ?? '';

/** What the peer presented in the handshake; of the names only their text. */
interface Peer {
  readonly certificate: MintedCertificate;
  readonly chain?: readonly MintedCertificate[];
  readonly commonName?: string;
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
}

const allDetails = ['cert', 'chain', 'subject', 'uri', 'dns', 'issuer'] as const;
type Detail = (typeof allDetails)[number];

/** What Envoy 1.40 writes, as captured; `sent` is the client's own header, to which it appends. */
function envoyWrites(peer: Peer, on: readonly Detail[], { by = [], sent }: { by?: string[]; sent?: string } = {}) {
  const { certificate, chain = [], commonName = 'client', uris = [], dnsNames = [] } = peer;
  const pairs: Record<Detail, readonly string[]> = {
    cert: [`Cert="${escaped(certificate)}"`],
    chain: [`Chain="${[certificate, ...chain].map(escaped).join('')}"`],
    subject: [`Subject="CN=${escapeRfc2253(commonName)}"`],
    uri: (uris.length > 0 ? uris : ['']).map((uri) => `URI=${uri}`),
    dns: dnsNames.map((name) => `DNS=${name}`),
    issuer: ['Issuer="CN=Test CA"'],
  };
  const inOrder = allDetails.filter((detail) => on.includes(detail)).flatMap((detail) => pairs[detail]);
  const element = [...by.map((uri) => `By=${uri}`), `Hash=${hashOf(certificate)}`, ...inOrder].join(';');
  return sent === undefined || sent === '' ? element : `${sent},${element}`;
}

/** As BoringSSL formats a value: a backslash before what RFC 2253 names, hex for what is not printable ASCII. */
function escapeRfc2253(value: string): string {
  const escaped = [...Buffer.from(value)].map((byte) => {
    if (byte < 0x20 || byte > 0x7e) return `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    const character = String.fromCharCode(byte);
    return ',+"\\<>;'.includes(character) ? `\\${character}` : character;
  });
  return escaped.join('').replace(/^[# ]|(?<=.) $/g, '\\$&');
}

/** Whose certificate was decoded, or `rejected`. */
function readAs(value: string): 'rejected' | 'attacker' | 'another' {
  try {
    const { leaf } = decodeXfcc(value, fixes);
    return Buffer.compare(leaf, attacker.der) === 0 ? 'attacker' : 'another';
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return 'rejected';
  }
}

const forged = `Hash=${hashOf(victim)};Cert="${escaped(victim)}"`;
const forgedCert = `Cert="${escaped(victim)}"`;

/** Values of a SAN, and of a client's own header. */
const names = [
  ...[`spiffe://x,${forged}`, `spiffe://x,${forged};Subject="`, `spiffe://x,${forged},`, `,${forged},Hash=`],
  ...[`x;${forgedCert}`, `x;${forged}`, `;${forged};URI=x`, `x;Hash=${hashOf(victim)}`, `"`, `";URI=x`, `x"`],
  ...[`x";${forgedCert}`, `x;Chain="${escaped(victim)}"`, `x;Subject="`, `x;Issuer="`, `";Issuer="`],
  ...['\\', '\\"', '"\\', 'x,y', ',', ';', '', 'x;Cert="', `x;Cert="${escaped(attacker)}"`],
];
const headers = [
  ...['', '"', '\\', '[{}]', 'By="', `By=x;${forged}`, `Hash=${hashOf(victim)};Cert="`],
  ...['', ',', ';', ';URI=', ';URI="', ';DNS="', ';Chain="', ';Issuer="', ';Foo="'].map((tail) => forged + tail),
  ...['', 'x', '\\', '"', 'x"', 'CN=x'].map((tail) => `${forged};Subject="${tail}`),
];
const subsets = Array.from({ length: 2 ** allDetails.length }, (_, bits) =>
  allDetails.filter((_detail, index) => (bits >> index) % 2 === 1),
);

describe('an attacker obtains no certificate but their own', () => {
  test('with a crafted name, whichever details are enabled', () => {
    const outcomes = subsets.flatMap((on) =>
      names.flatMap((name) => [
        readAs(envoyWrites({ certificate: attacker, uris: [name] }, on)),
        readAs(envoyWrites({ certificate: attacker, dnsNames: [name, name] }, on, { by: ['spiffe://proxy'] })),
        readAs(envoyWrites({ certificate: attacker, commonName: name, uris: ['x', name] }, on)),
      ]),
    );
    expect(new Set(outcomes)).toEqual(new Set(['rejected', 'attacker']));
  });

  test('with a crafted header, to which Envoy appends', () => {
    const withoutChain = subsets.filter((on) => !on.includes('chain'));
    const outcomes = withoutChain.flatMap((on) =>
      headers.flatMap((sent) =>
        names.map((name) =>
          readAs(envoyWrites({ certificate: attacker, uris: [name], dnsNames: [name] }, on, { sent })),
        ),
      ),
    );
    expect(new Set(outcomes)).toEqual(new Set(['rejected', 'attacker']));
  });

  test.each([
    ['a forged last element', { uris: [`spiffe://x,${forged}`] }, ['cert', 'uri', 'issuer'], undefined],
    ['a forged element in the middle', { uris: [`x,${forged},Hash=1`] }, ['cert', 'uri', 'dns'], undefined],
    ['a Cert where Envoy writes none', { uris: [`x;${forgedCert}`] }, ['uri'], undefined],
    ['a second Hash and Cert', { dnsNames: [`x;${forged}`] }, ['dns'], undefined],
    ['a header with an open quote, which a SAN closes', { uris: ['"'] }, ['uri'], `${forged};Subject="`],
    ['the same through the Issuer', { uris: ['"'] }, ['uri'], `${forged};Issuer="`],
    ['the same, closed by the Subject', { commonName: '' }, ['subject'], `${forged};Subject="`],
    ['the same, with a name behind it', { uris: ['";DNS=x'] }, ['uri'], `${forged};Subject="CN=x`],
  ] as const)('%s is rejected', (_, peer, on, sent) => {
    const value = envoyWrites({ certificate: attacker, ...peer }, on, sent === undefined ? {} : { sent });
    expect(value).toContain(forgedCert);
    expect(readAs(value)).toBe('rejected');
  });

  const fragment = fc.oneof(
    fc.constantFrom(...names, ...headers, '"', ';', ',', '\\', '=', 'URI=', 'DNS=', 'By=', 'Subject="', 'Cert="'),
    fc.string({ maxLength: 3 }),
  );
  const text = fc.array(fragment, { maxLength: 4 }).map((parts) => parts.join(''));

  test('with any other text', () => {
    const peer = fc.record({
      certificate: fc.constant(attacker),
      commonName: fc.oneof(fc.string(), fragment),
      uris: fc.array(text, { maxLength: 3 }),
      dnsNames: fc.array(text, { maxLength: 3 }),
    });
    const sent = fc.oneof(fc.constant(''), text);
    fc.assert(
      fc.property(peer, fc.subarray([...allDetails]), sent, (peer, on, sent) => {
        expect(readAs(envoyWrites(peer, on, { sent }))).not.toBe('another');
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the decoder of x-forwarded-client-cert', () => {
  const harmless = fc.webUrl().filter((url) => !/[,;"]/.test(url));

  test('accepts what Envoy writes for an honest client, whichever details are enabled', () => {
    const peer = fc.record({
      certificate: fc.constant(attacker),
      chain: fc.constantFrom([], [ca], [ca, victim]),
      commonName: fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', ';', '\\"', ' ')),
      uris: fc.array(harmless, { maxLength: 3 }),
      dnsNames: fc.array(fc.domain(), { maxLength: 3 }),
    });
    const withCert = fc.subarray([...allDetails]).map((on): Detail[] => ['cert', ...on]);
    fc.assert(
      fc.property(peer, withCert, fc.array(harmless, { maxLength: 2 }), (peer, on, by) => {
        const { leaf, chain } = decodeXfcc(envoyWrites(peer, on, { by }), fixes);
        expect(Buffer.compare(leaf, attacker.der)).toBe(0);
        const sent = on.includes('chain') ? peer.chain : [];
        expect(chain.map((der) => Buffer.from(der))).toEqual(sent.map(({ der }) => Buffer.from(der)));
      }),
    );
  });

  test('returns the certificate or throws for any edit', () => {
    const genuine = envoyWrites({ certificate: attacker, chain: [ca], uris: ['spiffe://x'] }, allDetails);
    const edited = fc
      .tuple(fc.nat(genuine.length), fc.nat(20), fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom(...headers)))
      .map(([at, cut, junk]) => genuine.slice(0, at) + junk + genuine.slice(at + cut));
    fc.assert(
      fc.property(fc.oneof(edited, fc.string(), fc.string({ unit: 'binary' })), (value) => {
        expect(readAs(value)).not.toBe('another');
      }),
      { numRuns: 2_000 },
    );
  });
});

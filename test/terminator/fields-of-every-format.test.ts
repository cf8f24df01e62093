import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeaderFields } from '../../src/http/header-fields.ts';
import { CertificateError } from '../../src/pki/certificate/certificate-error.ts';
import { decodeChain } from '../../src/terminator/certificate-reader.ts';
import type { HeaderFormat } from '../../src/terminator/format.ts';
import { type HeaderFormatName, headerFormatNames, headerFormats } from '../../src/terminator/formats.ts';
import { readForwardedCertificate } from '../../src/terminator/forwarded-certificate.ts';
import { ForwardingError } from '../../src/terminator/forwarding-error.ts';
import type { Terminator } from '../../src/terminator/terminator.ts';
import { parseTrustedAddresses } from '../../src/terminator/trusted-addresses.ts';
import { createTestCa } from '../support/certificates.ts';
import { relativeTo } from '../support/cpu-time.ts';
import { forwardedAs } from '../support/forwarded-as.ts';

const root = createTestCa({ subject: [['CN', 'Root']] });
const intermediate = root.issueIntermediate({ subject: [['CN', 'Intermediate']] });
const client = intermediate.issue({ subject: [['CN', 'client']] });
const peer = { kind: 'unix' } as const;
// Parsed once, since that takes longer than reading a forwarded value.
const proxyTrust = {
  trustedAddresses: parseTrustedAddresses().addresses,
  proxySecretDigests: [],
  proxyCertificateRules: [],
};

function terminatorOf(name: HeaderFormatName): Terminator {
  const { certificateHeader, chain, verification }: HeaderFormat = headerFormats[name];
  const [first, ...others] = verification;
  return {
    name,
    certificateHeader,
    chainHeader: chain?.header,
    verification: first ? { by: 'header', fields: [first, ...others] } : { by: 'none', fields: [], fix: 'none' },
    proxyTrust,
  };
}

/** Receives these fields as a server that is configured for this format. */
function receive(name: HeaderFormatName, fields: Readonly<Record<string, string>>) {
  const forwarded = readForwardedCertificate(
    { headers: new HeaderFields(Object.entries(fields).flat()), peer },
    terminatorOf(name),
  );
  if (forwarded.kind === 'none') return forwarded;
  return { ...forwarded, ...decodeChain(forwarded, name) };
}

describe.each(headerFormatNames)('%s', (name) => {
  const format: HeaderFormat = headerFormats[name];
  const alone = forwardedAs[name](client, []);
  const together = forwardedAs[name](client, [intermediate]);
  const carriesChain = JSON.stringify(alone) !== JSON.stringify(together);

  test('a certificate is received with its chain and verification', () => {
    const received = receive(name, together);
    expect(received).toMatchObject({ kind: 'certificate', certificate: { thumbprint: client.thumbprint } });
    expect(received).toMatchObject({
      verification: { result: format.verification.length > 0 ? 'verified' : 'absent' },
    });
    const chain = 'chain' in received ? received.chain.map((der) => Buffer.from(der)) : [];
    expect(chain).toEqual(carriesChain ? [Buffer.from(intermediate.der)] : []);
  });

  test('the verification fails unless every field reports success', () => {
    for (const { header, successValue } of format.verification) {
      for (const value of [
        undefined,
        '',
        'NONE',
        `${successValue} `,
        successValue.toUpperCase() === successValue ? 'x' : successValue.toUpperCase(),
      ]) {
        const { [header]: _, ...others } = alone;
        const fields = value === undefined ? others : { ...others, [header]: value };
        expect(receive(name, fields)).toMatchObject({ kind: 'certificate', verification: { result: 'failed' } });
      }
    }
  });

  test('a successful verification without a certificate is an error, and any other one means no certificate', () => {
    for (const value of ['', '::', '(null)', ...format.absentValues]) {
      const fields = { ...alone, [format.certificateHeader]: value };
      if (format.verification.length > 0) expect(() => receive(name, fields)).toThrow(/contains no certificate/);
      else expect(receive(name, fields)).toMatchObject({ kind: 'none' });
    }
    expect(receive(name, {})).toMatchObject({ kind: 'none' });
  });

  test('a value in the encoding of another format is rejected, and the error names that format', () => {
    const own = alone[format.certificateHeader];
    for (const other of headerFormatNames) {
      const value = forwardedAs[other](client, [])[headerFormats[other].certificateHeader] ?? '';
      if (value === own || readsBoth(name, other)) continue;
      const sent = () => receive(name, { ...alone, [format.certificateHeader]: value });
      expect(sent).toThrow(CertificateError);
      expect(sent).toThrow(new RegExp(`this looks like .*\\b${other}\\b.*; the server is configured for ${name}$`));
    }
  });
});

/** The leaf that AWS forwards in verify mode is also a valid value of passthrough mode. */
function readsBoth(configured: HeaderFormatName, other: HeaderFormatName): boolean {
  return configured === 'aws-alb-passthrough' && other === 'aws-alb';
}

const RUNS = Number(process.env.COUNTERSIGN_FUZZ_RUNS ?? 500);
/** In multiples of the CPU time for a genuine value. */
const COST_LIMIT = 50;

describe(`each of ${RUNS} altered values ends in a certificate or an expected error, in linear time`, () => {
  test.each(headerFormatNames)(
    '%s',
    (name) => {
      const genuine = forwardedAs[name](client, [intermediate]);
      const header = headerFormats[name].certificateHeader;
      const cost = relativeTo(() => endsWell(name, genuine));
      fc.assert(
        fc.property(valueLike(genuine[header] ?? ''), chainLike(name), (value, chain) => {
          const fields = { ...genuine, ...chain, [header]: value };
          expect(cost(() => endsWell(name, fields), COST_LIMIT)).toBeLessThan(COST_LIMIT);
        }),
        // Slow code would take minutes to shrink.
        { numRuns: RUNS, endOnFailure: true },
      );
    },
    60_000 + RUNS * 20,
  );
});

/** Receives the fields without a cache. Any exception that is not one of ours fails the test. */
function endsWell(name: HeaderFormatName, fields: Readonly<Record<string, string>>): void {
  try {
    receive(name, fields);
  } catch (error) {
    if (!(error instanceof CertificateError || error instanceof ForwardingError)) throw error;
  }
}

/** Random text, and the genuine value with parts removed, repeated, and with special characters inserted. */
function valueLike(genuine: string): fc.Arbitrary<string> {
  const position = fc.nat(genuine.length);
  const junk = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom('%', '%00', '%0A', '%0a', '%25', ':', '::', ', ', ',', ';', '"', '\\', '\\"', '=', '+', '/', ' '),
    fc.constantFrom('Cert="', 'Hash=', ';Cert="', ',Hash=', 'URI=x', '-----BEGIN CERTIFICATE-----', genuine),
  );
  const edited = fc.array(fc.tuple(position, fc.nat(40), junk), { minLength: 1, maxLength: 4 }).map((edits) => {
    let value = genuine;
    for (const [at, cut, put] of edits) value = value.slice(0, at) + put + value.slice(at + cut);
    return value;
  });
  const long = fc.tuple(junk, fc.nat(4_000)).map(([part, times]) => (part === genuine ? part : part.repeat(times)));
  return fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), edited, edited, long, fc.constant(genuine));
}

function chainLike(name: HeaderFormatName): fc.Arbitrary<Record<string, string>> {
  const field = (headerFormats[name] as HeaderFormat).chain;
  if (!field) return fc.constant({});
  const genuine = forwardedAs[name](client, [intermediate, root])[field.header] ?? '';
  return fc.oneof(
    fc.constant({}),
    valueLike(genuine).map((value) => ({ [field.header]: value })),
  );
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseDer } from '../../../src/pki/certificate/der.ts';
import { acceptedCurves, nistCurveOf } from '../../../src/pki/certificate/elliptic-curves.ts';
import { parsePublicKeyInfo, publicKeyOf } from '../../../src/pki/certificate/public-key-info.ts';
import { requireStrongKey, rsaKeyViolations } from '../../../src/pki/certificate/public-key-policy.ts';
import { bitString, childrenOf, contentOf, der, integer, objectIdentifier, sequence } from '../../support/der.ts';
import { keyPair } from '../../support/keys.ts';

const SHORT = 500;
const RUNS = Number(process.env.COUNTERSIGN_DIFFERENTIAL_RUNS ?? SHORT);
const SEED = Number(process.env.COUNTERSIGN_DIFFERENTIAL_SEED ?? (RUNS > SHORT ? Date.now() % 2 ** 31 : 1));

const nistCurves = [
  { type: 'ec-p256', oid: '1.2.840.10045.3.1.7', size: 32, p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n },
  { type: 'ec-p384', oid: '1.3.132.0.34', size: 48, p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n },
  { type: 'ec-p521', oid: '1.3.132.0.35', size: 66, p: 2n ** 521n - 1n },
] as const;

const ecKeys = nistCurves.flatMap((curve) =>
  Array.from({ length: 8 }, () => ({
    ...curve,
    spki: keyPair(curve.type, { reuse: false }).publicKey.export({ type: 'spki', format: 'der' }),
  })),
);

/** The coordinates of a valid point, or of one that is almost on the curve, or not reduced modulo p. */
const ecKey = fc
  .record({
    key: fc.constantFrom(...ecKeys),
    named: fc.option(fc.constantFrom(...nistCurves.map(({ oid }) => oid), '1.3.36.3.3.2.8.1.1.7', '1.3.132.0.10'), {
      freq: 2,
    }),
    form: fc.oneof({ weight: 6, arbitrary: fc.constant(4) }, fc.integer({ min: 0, max: 8 })),
    change: fc.constantFrom(
      'none',
      'none',
      'negated',
      'swapped',
      'x + 1',
      'y + 1',
      'x + p',
      'y + p',
      'zero',
      'shorter',
    ),
  })
  .map(({ key: { spki, oid, size, p }, named, form, change }) => {
    const point = contentOf(childrenOf(spki)[1] ?? Buffer.of()).subarray(2);
    const number = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
    const [x, y] = [number(point.subarray(0, size)), number(point.subarray(size))];
    const changed: Record<typeof change, [bigint, bigint]> = {
      none: [x, y],
      negated: [x, p - y],
      swapped: [y, x],
      'x + 1': [x + 1n, y],
      'y + 1': [x, y + 1n],
      'x + p': [x + p, y],
      'y + p': [x, y + p],
      zero: [0n, 0n],
      shorter: [x, y >> 8n],
    };
    const bytes = (value: bigint, length: number) => {
      const hex = BigInt.asUintN(8 * length, value).toString(16);
      return Buffer.from(hex.padStart(2 * length, '0'), 'hex');
    };
    const [first, second] = changed[change];
    const content = [Buffer.of(form), bytes(first, size), bytes(second, change === 'shorter' ? size - 1 : size)];
    const algorithm = sequence(objectIdentifier('1.2.840.10045.2.1'), objectIdentifier(named ?? oid));
    return sequence(algorithm, bitString(Buffer.concat(content)));
  });

const rsaKey = fc
  .record({
    bits: fc.constantFrom(0, 1, 1024, 2040, 2047, 2048, 2049, 2056, 3072, 8192, 8193),
    modulus: fc.bigInt({ min: 0n, max: 2n ** 8193n }),
    exponent: fc.constantFrom(0n, 1n, 3n, 17n, 65_536n, 65_537n, 2n ** 32n + 15n, 2n ** 64n - 1n, 2n ** 64n + 13n),
    algorithm: fc.constantFrom('1.2.840.113549.1.1.1', '1.2.840.113549.1.1.1', '1.2.840.113549.1.1.10', '2.5.8.1.1'),
    parameters: fc.constantFrom([der(5)], [der(5)], [], [sequence()], [der(5, Buffer.of(0))], [der(5), der(5)]),
    more: fc.constantFrom([], [], [], [integer(1n)]),
  })
  .map(({ bits, modulus, exponent, algorithm, parameters, more }) => {
    const exact = bits === 0 ? 0n : BigInt.asUintN(bits, modulus) | (1n << BigInt(bits - 1));
    const key = sequence(integer(exact), integer(exponent), ...more);
    return sequence(sequence(objectIdentifier(algorithm), ...parameters), bitString(key));
  });

test(`each of ${RUNS} public keys is accepted or rejected as if OpenSSL had decoded it`, () => {
  const counts = { accepted: 0, rejected: 0 };
  const compare = (spki: Uint8Array) => {
    const isAccepted = accepts(() => requireStrongKey(parseDer(spki)));
    expect(isAccepted, Buffer.from(spki).toString('hex')).toBe(accepts(() => requireStrongForOpenssl(spki)));
    counts[isAccepted ? 'accepted' : 'rejected'] += 1;
  };
  fc.assert(fc.property(fc.oneof(ecKey, rsaKey), compare), { numRuns: RUNS, seed: SEED });
  if (RUNS > SHORT) console.info(counts);
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(RUNS / 20);
});

test.each(nistCurves)('the equation of the curve of a key of type $type needs no OpenSSL', ({ type, oid, size }) => {
  const spki = keyPair(type, { reuse: true }).publicKey.export({ type: 'spki', format: 'der' });
  const point = contentOf(childrenOf(spki)[1] ?? Buffer.of()).subarray(1);
  expect(point).toHaveLength(1 + 2 * size);
  expect(acceptedCurves).toContain(nistCurveOf(oid, point));
});

function requireStrongForOpenssl(spki: Uint8Array): void {
  const { kind, element } = parsePublicKeyInfo(parseDer(spki));
  const { asymmetricKeyDetails: details = {} } = publicKeyOf(element);
  const isStrong =
    kind === 'rsa' ? rsaKeyViolations(details).length === 0 : acceptedCurves.has(details.namedCurve ?? 'unnamed');
  if (!isStrong) throw new CertificateError('too weak');
}

function accepts(require: () => void): boolean {
  try {
    require();
    return true;
  } catch (error) {
    if (error instanceof CertificateError) return false;
    throw error;
  }
}

/** The NIST curves, and those of RFC 5639 with pseudo-random parameters, which German government PKIs require, as OpenSSL names them. */
export const acceptedCurves: ReadonlySet<string> = new Set([
  'prime256v1',
  'secp384r1',
  'secp521r1',
  'brainpoolP256r1',
  'brainpoolP384r1',
  'brainpoolP512r1',
]);
export const ACCEPTED_CURVES = 'P-256, P-384, P-521, brainpoolP256r1, brainpoolP384r1 and brainpoolP512r1';

/** A curve y² = x³ - 3x + b over the integers modulo a prime p (SP 800-186 §3.2.1). */
interface PrimeCurve {
  /** The bytes of a coordinate. */
  readonly size: number;
  readonly p: bigint;
  readonly b: bigint;
}

/** Those of NIST, by object identifier (RFC 5480 §2.1.1.1). Every point except infinity is a valid key: the cofactor is 1. */
const curves: Readonly<Record<string, PrimeCurve & { readonly name: string }>> = {
  '1.2.840.10045.3.1.7': {
    name: 'prime256v1',
    size: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  '1.3.132.0.34': {
    name: 'secp384r1',
    size: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
  '1.3.132.0.35': {
    name: 'secp521r1',
    size: 66,
    p: 2n ** 521n - 1n,
    b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  },
};

const UNCOMPRESSED = 0x04;

/**
 * The name of the NIST curve on which an uncompressed point is (SEC 1 §2.3.4, §3.2.2.1), as OpenSSL names it. Undefined for
 * any other curve, form or point.
 *
 * @param curve its object identifier
 * @param point 04, then the coordinates, big-endian
 */
export function nistCurveOf(curve: string, point: Uint8Array): string | undefined {
  const known = curves[curve];
  if (!known || point[0] !== UNCOMPRESSED || point.length !== 1 + 2 * known.size) return undefined;
  const digits = Buffer.from(point.buffer, point.byteOffset + 1, 2 * known.size).toString('hex');
  const x = BigInt(`0x${digits.slice(0, 2 * known.size)}`);
  const y = BigInt(`0x${digits.slice(2 * known.size)}`);
  return isOnCurve(x, y, known) ? known.name : undefined;
}

function isOnCurve(x: bigint, y: bigint, { p, b }: PrimeCurve): boolean {
  return x < p && y < p && (y * y - (x * x - 3n) * x - b) % p === 0n;
}

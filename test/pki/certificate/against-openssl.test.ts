import { type KeyObject, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCaCertificate } from '../../../src/pki/certificate/ca-certificate.ts';
import { type Certificate, parseCertificate } from '../../../src/pki/certificate/certificate.ts';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { isSignedByKey } from '../../../src/pki/certificate/certificate-signature.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { publicKeyOf } from '../../../src/pki/certificate/public-key-info.ts';
import { type ChangedCertificate, cas, changedCertificate } from './differential/changed-certificate.ts';

const SHORT = 250;
const RUNS = Number(process.env.COUNTERSIGN_DIFFERENTIAL_RUNS ?? SHORT);
const SEED = Number(process.env.COUNTERSIGN_DIFFERENTIAL_SEED ?? (RUNS > SHORT ? Date.now() % 2 ** 31 : 1));

const caKeys = cas.map(({ pem }) => new X509Certificate(pem).publicKey);

test(
  `each of ${RUNS} changed certificates that is accepted is one for OpenSSL, with the same signatures`,
  () => {
    const counts = { 'accepted as a client': 0, 'accepted as a CA': 0, rejected: 0, signed: 0, unsigned: 0 };
    const signedBy = new Set<string | undefined>();
    const compare = ({ der }: ChangedCertificate) => {
      const client = parsedAs(parseClientCertificate, der);
      const certificate = client ?? parsedAs(parseCaCertificate, der);
      counts[client ? 'accepted as a client' : certificate ? 'accepted as a CA' : 'rejected'] += 1;
      if (!certificate) return;
      const openssl = new X509Certificate(der);
      expect(client === undefined || !openssl.ca, 'a client is not a CA').toBe(true);
      expect(openssl.publicKey.equals(publicKeyOf(parseCertificate(der).structure.publicKey)), 'the same key').toBe(
        true,
      );
      for (const key of caKeys) {
        const isSigned = signedAccordingTo(openssl, certificate, key);
        expect(isSignedByKey(certificate, key), `signature by a key of type ${key.asymmetricKeyType}`).toBe(isSigned);
        counts[isSigned ? 'signed' : 'unsigned'] += 1;
        if (isSigned) signedBy.add(key.asymmetricKeyType);
      }
    };
    fc.assert(fc.property(changedCertificate, compare), { numRuns: RUNS, seed: SEED });
    if (RUNS > SHORT) console.info(counts);
    for (const [kind, count] of Object.entries(counts)) expect(count, kind).toBeGreaterThan(0);
    expect(counts['accepted as a client']).toBeGreaterThan(RUNS / 5);
    expect(counts.signed).toBeGreaterThan(RUNS / 10);
    expect(signedBy).toEqual(new Set(caKeys.map((key) => key.asymmetricKeyType)));
  },
  120_000 + RUNS * 40,
);

function parsedAs(parse: (der: Uint8Array) => Certificate, der: Uint8Array): Certificate | undefined {
  try {
    return parse(der);
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

/** An algorithm that is not accepted signs nothing, whatever OpenSSL thinks of it. */
function signedAccordingTo(openssl: X509Certificate, { signatureAlgorithm }: Certificate, key: KeyObject): boolean {
  return signatureAlgorithm !== undefined && openssl.verify(key);
}

import crypto, { X509Certificate } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

/** The imports themselves change while a function runs. */
const OriginalCertificate = X509Certificate;
const { createPublicKey, verify } = crypto;

/** How often OpenSSL parsed a certificate, decoded a public key, and verified a signature. */
export interface CertificateWork {
  readonly parsed: number;
  readonly keys: number;
  readonly verified: number;
}

/** Counts what OpenSSL does while a function runs, also with certificates that it parsed before. */
export function certificateWork(run: () => void): CertificateWork {
  const work = { parsed: 0, keys: 0, verified: 0 };
  const { verify: verifyCertificate } = OriginalCertificate.prototype;
  OriginalCertificate.prototype.verify = function (this: X509Certificate, key) {
    work.verified += 1;
    return verifyCertificate.call(this, key);
  };
  class CountedCertificate extends OriginalCertificate {
    constructor(certificate: string | NodeJS.ArrayBufferView) {
      super(certificate);
      work.parsed += 1;
    }
  }
  const counted = <Call extends (...args: never[]) => unknown>(name: 'keys' | 'verified', call: Call) =>
    // Safe: it only passes on what it is called with.
    ((...args: never[]) => {
      work[name] += 1;
      return call(...args);
    }) as Call;
  useForAllImports({
    X509Certificate: CountedCertificate,
    createPublicKey: counted('keys', createPublicKey),
    verify: counted('verified', verify),
  });
  try {
    run();
  } finally {
    useForAllImports({ X509Certificate: OriginalCertificate, createPublicKey, verify });
    OriginalCertificate.prototype.verify = verifyCertificate;
  }
  return work;
}

function useForAllImports(implementations: Partial<typeof crypto>): void {
  Object.assign(crypto, implementations);
  syncBuiltinESMExports();
}

import crypto, { type KeyObject, X509Certificate } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

/** The import itself changes while a function runs. */
const OriginalCertificate = X509Certificate;

/** How often OpenSSL parsed a certificate, and verified the signature of one. */
export interface CertificateWork {
  readonly parsed: number;
  readonly verified: number;
}

/** Counts what OpenSSL does while a function runs, also with certificates that it parsed before. */
export function certificateWork(run: () => void): CertificateWork {
  const work = { parsed: 0, verified: 0 };
  const { verify } = OriginalCertificate.prototype;
  OriginalCertificate.prototype.verify = function (this: X509Certificate, key: KeyObject) {
    work.verified += 1;
    return verify.call(this, key);
  };
  class CountedCertificate extends OriginalCertificate {
    constructor(certificate: string | NodeJS.ArrayBufferView) {
      super(certificate);
      work.parsed += 1;
    }
  }
  useForAllImports(CountedCertificate);
  try {
    run();
  } finally {
    useForAllImports(OriginalCertificate);
    OriginalCertificate.prototype.verify = verify;
  }
  return work;
}

function useForAllImports(implementation: typeof X509Certificate): void {
  Object.assign(crypto, { X509Certificate: implementation });
  syncBuiltinESMExports();
}

import { type Disagreement, labelled, labelledAll } from './disagreement.ts';
import type { LabelledCertificate } from './mint-pki.ts';

const X509_V_OK = 0;

interface AcceptedByUs extends Disagreement {
  readonly errors: readonly number[];
  /** Of which paths this can be said; `others` are the authorities that are not on it. */
  readonly applies: (path: readonly LabelledCertificate[], others: readonly LabelledCertificate[]) => boolean;
}

/** Accepted by us, refused by OpenSSL: by its error about our path alone, and what the path must then hold. */
export const acceptedOnlyByCountersign: Readonly<Record<string, AcceptedByUs>> = {
  'OpenSSL does not go back': {
    errors: [X509_V_OK],
    applies: (_, others) => others.length > 0,
    because: 'it follows the first issuer that fits, and accepts the path when it is shown no other certificate',
    section: 'RFC 4158 §2.4.2 builds with backtracking; RFC 5280 §6.1 judges a path, however it was found',
  },
  'key identifiers that do not fit': {
    errors: [2, 20],
    applies: (path) => path.some(labelled('wrong AKI', 'AKI by serial number', 'wrong SKI')),
    because: 'it takes nobody for the issuer whose key identifier or serial number is another; to us they are hints',
    section: 'RFC 5280 §6.1.3: no step reads key identifiers; the signature decides',
  },
  'key identifier of another CA on the path': {
    errors: [7],
    applies: (path) => path.some(labelled('wrong AKI')) && path.some(labelled('wrong SKI')),
    because: 'of two CAs with one name it takes the one with the identifier, whose key did not sign, and ends there',
    section: 'RFC 5280 §6.1.3 (a)(1): the signature decides; RFC 4158 §3.5.12 uses key identifiers to sort',
  },
  'any purpose above a client': {
    errors: [26],
    applies: (path) => path.some(labelled('purpose any')),
    because: 'to it a CA with anyExtendedKeyUsage alone vouches for no client; the RFC leaves that to the application',
    section: 'RFC 5280 §4.2.1.12: anyExtendedKeyUsage says that the key is for every purpose',
  },
  'path length without keyCertSign': {
    errors: [81],
    applies: (path) => path.some(labelledAll('path length', 'no key usage')),
    because: 'without the extension the key is for every use, keyCertSign among them',
    section: 'RFC 5280 §6.1.4 (n): only where key usage is present must it hold keyCertSign',
  },
  'no authority key identifier': {
    errors: [85],
    applies: (path) => path.some(labelled('no AKI', 'AKI by serial number')),
    because: 'a rule for those who issue certificates, which no step of path validation asks',
    section: 'RFC 5280 §4.2.1.1, §6.1.3',
  },
  'no subject key identifier': {
    errors: [86],
    applies: (path) => path.some(labelled('no SKI')),
    because: 'a rule for those who issue certificates, which no step of path validation asks',
    section: 'RFC 5280 §4.2.1.2, §6.1.4',
  },
  'basic constraints of a CA not critical': {
    errors: [89],
    applies: (path) => path.some(labelled('basic constraints not critical')),
    because: 'we read them in either case; whoever does not would refuse no less',
    section: 'RFC 5280 §6.1.4 (k): present, and cA TRUE',
  },
  'no key usage of a CA': {
    errors: [92],
    applies: (path) => path.some(labelled('no key usage')),
    because: 'without the extension the key is for every use',
    section: 'RFC 5280 §6.1.4 (n): only where key usage is present must it hold keyCertSign',
  },
  'client without a name': {
    errors: [84, 88],
    applies: (path) => path.some(labelled('empty subject')),
    because: 'a rule for those who issue certificates; nobody can be registered by a name that is not there',
    section: 'RFC 5280 §4.1.2.6, §6.1.3 (a)',
  },
  'self-issued taken for self-signed': {
    errors: [18, 19],
    applies: (path) =>
      path.some(labelledAll('self-issued', 'no SKI')) || path.some(labelledAll('self-issued', 'no AKI')),
    because: 'where names are equal and key identifiers are missing it takes a certificate for a root',
    section: 'RFC 5280 §6.1: self-issued is not self-signed; the signature decides',
  },
};

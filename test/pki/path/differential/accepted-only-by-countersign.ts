import { type Disagreement, labelled, labelledAll } from './disagreement.ts';
import type { LabelledCertificate } from './mint-pki.ts';

const X509_V_OK = 0;

interface AcceptedOnlyByCountersign extends Disagreement {
  /** The errors of OpenSSL about the path alone. */
  readonly errors: readonly number[];
  /** Whether this explains a path; `others` are the CA certificates that are not on it. */
  readonly applies: (path: readonly LabelledCertificate[], others: readonly LabelledCertificate[]) => boolean;
}

/** Paths that only Countersign accepts: the error of OpenSSL about the path alone, and what the path must contain. */
export const acceptedOnlyByCountersign: Readonly<Record<string, AcceptedOnlyByCountersign>> = {
  'OpenSSL does not backtrack': {
    errors: [X509_V_OK],
    applies: (_, others) => others.length > 0,
    because: 'it follows the first matching issuer, and accepts the path if it is given no other certificate',
    section: 'RFC 4158 §2.4.2 builds with backtracking; RFC 5280 §6.1 validates a path, however it was built',
  },
  'key identifiers that do not match': {
    errors: [2, 20],
    applies: (path) => path.some(labelled('wrong AKI', 'AKI by serial number', 'wrong SKI')),
    because: 'it rejects issuers with a different key identifier or serial number; to Countersign these are hints',
    section: 'RFC 5280 §6.1.3: no step uses key identifiers; the signature decides',
  },
  'key identifier of another CA on the path': {
    errors: [7],
    applies: (path) => path.some(labelled('wrong AKI')) && path.some(labelled('wrong SKI')),
    because: 'of two CAs with one name it tries only the one with the identifier, whose key did not sign',
    section: 'RFC 5280 §6.1.3 (a)(1): the signature decides; RFC 4158 §3.5.12 uses key identifiers for sorting',
  },
  'anyExtendedKeyUsage above a client': {
    errors: [26],
    applies: (path) => path.some(labelled('any usage')),
    because:
      'it does not accept a CA with only anyExtendedKeyUsage for clients; the RFC leaves that to the application',
    section: 'RFC 5280 §4.2.1.12: anyExtendedKeyUsage allows every use',
  },
  'path length of a certificate that is not a CA certificate': {
    errors: [80],
    applies: ([leaf]) => leaf?.labels.some((label) => label.startsWith('path length')) === true,
    because: 'without -x509_strict it ignores the path length as well; nginx does not set it',
    section: 'RFC 5280 §4.2.1.9: meaningful only if cA is asserted',
  },
  'path length without keyCertSign': {
    errors: [81],
    applies: (path) => path.some(labelledAll('path length', 'no key usage')),
    because: 'without the extension the key may be used for everything, including keyCertSign',
    section: 'RFC 5280 §6.1.4 (n): only if key usage is present must it contain keyCertSign',
  },
  'no authority key identifier': {
    errors: [85],
    applies: (path) => path.some(labelled('no AKI', 'AKI by serial number')),
    because: 'a rule for CAs, which no step of path validation checks',
    section: 'RFC 5280 §4.2.1.1, §6.1.3',
  },
  'no subject key identifier': {
    errors: [86],
    applies: (path) => path.some(labelled('no SKI')),
    because: 'a rule for CAs, which no step of path validation checks',
    section: 'RFC 5280 §4.2.1.2, §6.1.4',
  },
  'basic constraints of a CA not critical': {
    errors: [89],
    applies: (path) => path.some(labelled('basic constraints not critical')),
    because: 'Countersign processes them either way',
    section: 'RFC 5280 §6.1.4 (k): present, and cA TRUE',
  },
  'no key usage of a CA': {
    errors: [92],
    applies: (path) => path.some(labelled('no key usage')),
    because: 'without the extension the key may be used for everything',
    section: 'RFC 5280 §6.1.4 (n): only if key usage is present must it contain keyCertSign',
  },
  'client without a name': {
    errors: [84, 88],
    applies: (path) => path.some(labelled('empty subject')),
    because: 'a rule for CAs; no client can be registered by an empty name',
    section: 'RFC 5280 §4.1.2.6, §6.1.3 (a)',
  },
  'self-issued mistaken for self-signed': {
    errors: [18, 19],
    applies: (path) =>
      path.some(labelledAll('self-issued', 'no SKI')) || path.some(labelledAll('self-issued', 'no AKI')),
    because: 'if names are equal and key identifiers are missing, it considers the certificate a root',
    section: 'RFC 5280 §6.1: self-issued is not self-signed; the signature decides',
  },
};

import { type Concerns, type Disagreement, labelled } from './disagreement.ts';

/** Labels about extensions that OpenSSL does not process in an anchor. */
const policyLabels = [
  'policies',
  'policy required',
  'policy mapping inhibited',
  'no policy constraint',
  'any policy inhibited',
] as const;

interface RejectedOnlyByCountersign extends Disagreement {
  /** Matches the reason of Countersign. */
  readonly ours: RegExp;
  /** The certificates that this reason is about. */
  readonly concerns: Concerns;
}

/** PKIs that only OpenSSL accepts: the reason of Countersign, and what the PKI must contain. */
export const rejectedOnlyByCountersign: Readonly<Record<string, RejectedOnlyByCountersign>> = {
  'policy required': {
    ours: /requireExplicitPolicy/,
    concerns: labelled('policy required'),
    because: 'it ignores the policy extensions of an anchor',
    section: 'RFC 5937 §3.2',
  },
  'SHA-1': {
    ours: /is signed with an algorithm that is not accepted/,
    concerns: labelled('SHA-1'),
    because: 'at security level 0 it accepts every hash; a SHA-1 collision allows to forge a path',
    section: 'RFC 6194 §2, RFC 5280 §6.1.3 (a)(1)',
  },
  'invalid string in another encoding': {
    ours: /has no known issuer|^no anchor$/,
    concerns: (certificate) =>
      labelled('issuer in UTF-8')(certificate) && labelled('name underscore', 'name ampersand')(certificate),
    because: 'it reads a PrintableString with characters that this type does not have, and compares the text',
    section: 'RFC 5280 §7.1: names match by their bytes, or by comparing strings of their types',
  },
  'weak RSA key': {
    ours: /has an RSA key of 1024 bits/,
    concerns: labelled('key rsa-1024'),
    because: 'at security level 0 it accepts every size',
    section: 'NIST SP 800-131A; RFC 5280 §8 leaves the strength to the relying party',
  },
  'small RSA exponent': {
    ours: /has an RSA key with exponent 3/,
    concerns: labelled('key rsa-2048-e3'),
    because: 'with a small exponent, lax padding checks allow forgeries; RFC 8017 allows it',
    section: 'FIPS 186-5 §5.1; RFC 5280 §8 leaves the strength to the relying party',
  },
  'unusual curve': {
    ours: /has an EC key on secp256k1/,
    concerns: labelled('key ec-secp256k1'),
    because: 'the curve is not one for which certificates are issued',
    section: 'RFC 5480 §2.1.1.1; RFC 5280 §8',
  },
  'anchor that did not sign itself': {
    ours: /^no anchor$/,
    concerns: labelled('broken signature'),
    because: 'it trusts a self-issued certificate without verifying its signature; here an anchor is self-signed',
    section: 'RFC 5280 §6.1.1 (d): the operator decides what is an anchor',
  },
  'X.509 v1': {
    ours: /is X\.509 v1/,
    concerns: labelled('v1'),
    because: 'it can state neither that it is not a CA nor what it may be used for',
    section: 'RFC 5280 §4.1.2.1, §6.1.4 (k)',
  },
  'CA as a client': {
    ours: /is a CA certificate/,
    concerns: labelled('CA flag alone', 'other CA flag', 'basic constraints not critical'),
    because: 'the key of a CA signs certificates; its holder could issue a client certificate instead',
    section: 'RFC 5280 §4.2.1.9',
  },
  'malformed constraints': {
    ours: /name constraints are malformed/,
    concerns: labelled('malformed constraints'),
    because: 'it parses constraints only if there is a name of their form',
    section: 'RFC 5280 §4.2.1.10: minimum 0, maximum absent, hosts and blocks as bases',
  },
  'empty policy constraints': {
    ours: /policy constraints are malformed/,
    concerns: labelled('no policy constraint'),
    because: 'it ignores the policy extensions of an anchor',
    section: 'RFC 5280 §4.2.1.11: not an empty SEQUENCE',
  },
  'repeated extension': {
    ours: /has extension \S+ twice/,
    concerns: labelled('unknown', ...policyLabels),
    because: 'it does not notice a repeated extension that it does not process, such as policies',
    section: 'RFC 5280 §4.2: not more than one instance of an extension',
  },
  'subtree of every email address or URI': {
    ours: /has the (email|uri) name .* within an excluded subtree/,
    // The DER of both: a subtree with an empty rfc822Name, or an empty uniformResourceIdentifier.
    concerns: containing('30028100', '30028600'),
    because: 'an empty base covers nothing in OpenSSL, and everything in others; Countersign rejects both',
    section: 'RFC 5280 §4.2.1.10 does not define an empty base for these two forms',
  },
  'SmtpUTF8Mailbox below constraints on email addresses': {
    ours: /has a name of type email that cannot be compared (outside|within)/,
    concerns: containing('06082b06010505070809'),
    because: 'it compares the address; Countersign does not parse it, and rejects it if constraints apply to it',
    section: 'RFC 9598 §6, RFC 5280 §4.2.1.10: what cannot be processed is rejected',
  },
};

/** Certificates whose DER contains one of these byte sequences, in hex. */
function containing(...sequences: readonly string[]): Concerns {
  return ({ der }) => sequences.some((hex) => Buffer.from(der).includes(Buffer.from(hex, 'hex')));
}

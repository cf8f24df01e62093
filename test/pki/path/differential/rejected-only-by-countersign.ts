import { type Concerns, type Disagreement, labelled } from './disagreement.ts';

/** Those of extensions that OpenSSL does not read. */
const policyLabels = [
  'policies',
  'policy demanded',
  'policy mapping inhibited',
  'no policy constraint',
  'any policy inhibited',
] as const;

interface RefusedByUs extends Disagreement {
  readonly ours: RegExp;
  /** Which certificates we do not accept for it. */
  readonly concerns: Concerns;
}

/** Refused by us, accepted by OpenSSL: by our reason, and what the PKI must then hold. */
export const rejectedOnlyByCountersign: Readonly<Record<string, RefusedByUs>> = {
  'policy demanded': {
    ours: /requires a certificate policy/,
    concerns: labelled('policy demanded'),
    because: 'without -policy_check it processes no policies',
    section: 'RFC 5280 §6.1.5 (g)',
  },
  'SHA-1': {
    ours: /is signed with an algorithm that is not accepted/,
    concerns: labelled('SHA-1'),
    because: 'at its level 0 it takes every hash; who can make two certificates with one SHA-1 can forge a path',
    section: 'RFC 6194 §2, RFC 5280 §6.1.3 (a)(1)',
  },
  'weak RSA key': {
    ours: /has an RSA key of 1024 bits/,
    concerns: labelled('key rsa-1024'),
    because: 'at its level 0 it takes every size',
    section: 'NIST SP 800-131A; RFC 5280 §8 leaves the strength to the relying party',
  },
  'small RSA exponent': {
    ours: /has an RSA key with exponent 3/,
    concerns: labelled('key rsa-2048-e3'),
    because: 'with a small exponent sloppy padding is forged; RFC 8017 allows it',
    section: 'FIPS 186-5 §5.1; RFC 5280 §8 leaves the strength to the relying party',
  },
  'unusual curve': {
    ours: /has an EC key on secp256k1/,
    concerns: labelled('key ec-secp256k1'),
    because: 'the curve is none of those that certificates are issued for',
    section: 'RFC 5480 §2.1.1.1; RFC 5280 §8',
  },
  'anchor that did not sign itself': {
    ours: /^no anchor$/,
    concerns: labelled('broken signature'),
    because: 'it trusts what is called its own issuer unread; to us an anchor is self-signed',
    section: 'RFC 5280 §6.1.1 (d): what is an anchor is for the operator to say',
  },
  'X.509 v1': {
    ours: /is X\.509 v1/,
    concerns: labelled('v1'),
    because: 'it cannot say that it is no CA, nor what it is for',
    section: 'RFC 5280 §4.1.2.1, §6.1.4 (k)',
  },
  'CA as a client': {
    ours: /is a CA certificate/,
    concerns: labelled('CA flag alone', 'other CA flag', 'basic constraints not critical'),
    because: 'the key of a CA is for certificates; whoever holds it could make a client instead',
    section: 'RFC 5280 §4.2.1.9',
  },
  'malformed constraints': {
    ours: /name constraints are malformed/,
    concerns: labelled('malformed constraints'),
    because: 'it reads constraints only when it meets a name of their form',
    section: 'RFC 5280 §4.2.1.10: minimum 0, maximum absent, hosts and blocks as bases',
  },
  'empty policy constraints': {
    ours: /policy constraints are malformed/,
    concerns: labelled('no policy constraint'),
    because: 'without -policy_check it reads no policies',
    section: 'RFC 5280 §4.2.1.11: not an empty SEQUENCE',
  },
  'path length of no CA': {
    ours: /its basicConstraints are malformed/,
    concerns: labelled('path length of no CA'),
    because: 'it reads a path length of who is no CA',
    section: 'RFC 5280 §4.2.1.9: not unless cA is asserted',
  },
  'an extension twice': {
    ours: /has extension \S+ twice/,
    concerns: labelled('unknown', ...policyLabels),
    because: 'of an extension that it does not read, policies among them, it never sees the second',
    section: 'RFC 5280 §4.2: not more than one instance of an extension',
  },
  'subtree of every email address or URI': {
    ours: /has the (email|uri) name .* within an excluded subtree/,
    // The DER of both: a subtree with an empty rfc822Name, or an empty uniformResourceIdentifier.
    concerns: holding('30028100', '30028600'),
    because: 'an empty base is nothing to it, and everything to others; we refuse whoever depends on it',
    section: 'RFC 5280 §4.2.1.10 gives an empty base no meaning for these two forms',
  },
  'other name of another kind': {
    ours: /has a name of a form that cannot be compared/,
    // An otherName of one type, and constraints on those of another.
    concerns: labelled('names'),
    because:
      'to it the types are forms of their own; we compare no otherName, and so refuse it where any is constrained',
    section: 'RFC 5280 §4.2.1.10: what cannot be processed is rejected',
  },
  'SmtpUTF8Mailbox below constraints on email addresses': {
    ours: /has the email name "" (outside the permitted subtrees|within an excluded subtree)/,
    concerns: holding('06082b06010505070809'),
    because: 'it compares the address; we do not read it, and so refuse it wherever constraints are about it',
    section: 'RFC 9598 §6, RFC 5280 §4.2.1.10: what cannot be processed is rejected',
  },
};

/** Those whose DER holds one of these octets, in hex. */
function holding(...octets: readonly string[]): Concerns {
  return ({ der }) => octets.some((hex) => Buffer.from(der).includes(Buffer.from(hex, 'hex')));
}

import type { HeaderFormat, VerificationField } from '../terminator/format.ts';
import { type HeaderFormatName, headerFormatNames, headerFormats } from '../terminator/formats.ts';
import { type ChainVerification, forwardedHeaders, type Terminator } from '../terminator/terminator.ts';
import { PROXY_SECRET_HEADER } from '../terminator/trusted-proxy.ts';
import { oneOf } from './parsers.ts';
import type { Settings } from './settings.ts';

type ForwardedFields = Omit<Terminator, 'proxyTrust'>;

/** Reads what the proxy forwards, in which fields, and who verified it. Faults are collected in the settings. */
export function readForwardedFields(settings: Settings): ForwardedFields | undefined {
  const meaning = `what the proxy forwards: ${headerFormatNames.join(', ')}`;
  const name = settings.required('TERMINATOR', oneOf(headerFormatNames), meaning);
  const certificateHeader = settings.optional('CERTIFICATE_HEADER', parseFieldName);
  const chainHeader = settings.optional('CHAIN_HEADER', parseFieldName);
  const verdictHeader = settings.optional('VERIFY_HEADER', parseFieldName);
  const verifiedBy = settings.optional('CHAIN_VERIFIED_BY', oneOf(verifierNames));
  if (name === undefined) return undefined;
  const format: HeaderFormat = headerFormats[name];
  if (chainHeader !== undefined && format.chain === undefined) {
    settings.reject('CHAIN_HEADER', `is set, and ${name} forwards no chain in a header of its own`);
  }
  const fields = {
    name,
    certificateHeader: certificateHeader ?? format.certificateHeader,
    chainHeader: format.chain && (chainHeader ?? format.chain.header),
    verification: readVerification(settings, name, verdictFields(format, verdictHeader), verifiedBy),
  };
  requireDifferent(settings, fields);
  return fields;
}

/** Where the format has no word for yes, it is nginx's and Apache's. */
const USUAL_POSITIVE = 'SUCCESS';

/** `COUNTERSIGN_VERIFY_HEADER` renames the first of them, or gives a format one that has none. */
function verdictFields(
  { verification: [first, ...others] }: HeaderFormat,
  header: string | undefined,
): VerificationField[] {
  if (header === undefined) return first ? [first, ...others] : [];
  return [{ header, successValue: first?.successValue ?? USUAL_POSITIVE }, ...others];
}

/** Who may be declared to verify chains: we, or in an explicit step down another. */
const verifierNames = ['countersign', 'header', 'terminator'] as const;
type VerifierName = (typeof verifierNames)[number];

function readVerification(
  settings: Settings,
  name: HeaderFormatName,
  fields: readonly VerificationField[],
  declared: VerifierName | undefined,
): ChainVerification {
  const [first, ...others] = fields;
  const hasAuthorities = settings.has('CLIENT_CA_FILE');
  if (declared === 'countersign' && !hasAuthorities) settings.missing('CLIENT_CA_FILE', CA_MEANING);
  if (declared !== 'countersign' && declared !== undefined && hasAuthorities) {
    settings.reject(
      'CHAIN_VERIFIED_BY',
      `is ${declared}, so COUNTERSIGN_CLIENT_CA_FILE would have no effect; remove one of the two`,
    );
  }
  if (!headerFormats[name].canVerify && first) settings.reject('VERIFY_HEADER', `is set, and ${unverified(name)}`);
  if (hasAuthorities || declared === 'countersign') return { by: 'countersign', fields };
  if (!headerFormats[name].canVerify) return readUnverified(settings, name, declared);
  // A declaration does not overrule what the terminator itself says of a certificate.
  if (declared !== undefined && first) return { by: 'header', fields: [first, ...others] };
  if (declared === 'terminator') return { by: 'terminator', fields: [] };
  if (declared === 'header') {
    settings.reject(
      'CHAIN_VERIFIED_BY',
      `is header, and ${name} forwards none; name it with COUNTERSIGN_VERIFY_HEADER`,
    );
  }
  return { by: 'none', fields, fix: `COUNTERSIGN_CLIENT_CA_FILE is not set: it is ${CA_MEANING}` };
}

const CA_MEANING =
  "a file or folder with the CAs of the clients' certificates, to which the server verifies their chains";

/** Terminators that pass on whatever certificate a client shows. Only we can verify those. */
function readUnverified(
  settings: Settings,
  name: HeaderFormatName,
  declared: VerifierName | undefined,
): ChainVerification {
  if (declared !== undefined) settings.reject('CHAIN_VERIFIED_BY', `is ${declared}, and ${unverified(name)}`);
  return { by: 'none', fields: [], fix: unverified(name) };
}

function unverified(name: HeaderFormatName): string {
  return `${name} forwards certificates that nobody has verified; set COUNTERSIGN_CLIENT_CA_FILE to ${CA_MEANING}`;
}

function requireDifferent(settings: Settings, fields: ForwardedFields): void {
  const headers = forwardedHeaders(fields);
  const repeated = headers.find((header, index) => headers.indexOf(header) !== index);
  if (repeated === undefined) return;
  const setting = fields.chainHeader === repeated ? 'CHAIN_HEADER' : 'VERIFY_HEADER';
  settings.reject(setting, `is ${repeated}, which carries something else already`);
}

/** A field name of HTTP (RFC 9110 §5.1) that has no other meaning, in the lower case in which we compare it. */
function parseFieldName(text: string): string {
  const name = text.toLowerCase();
  if (takenHeaders.has(name)) throw new RangeError(`"${text}" is a header with a meaning of its own`);
  if (/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) return name;
  throw new RangeError(`"${text}" is not a header name of letters, digits and hyphens`);
}

const takenHeaders: ReadonlySet<string> = new Set([
  ...['authorization', 'connection', 'content-length', 'content-type', 'cookie', 'date', 'early-data', 'expect'],
  ...['host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'user-agent', PROXY_SECRET_HEADER],
]);

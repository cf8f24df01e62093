import type { Settings } from '../operations/settings.ts';
import type { HeaderFormat, VerdictField } from '../terminator/header-format.ts';
import { type HeaderFormatName, headerFormatNames, headerFormats } from '../terminator/header-formats.ts';
import { PROXY_SECRET_HEADER } from '../terminator/hop.ts';
import { forwardedHeaders, type Terminator } from '../terminator/terminator.ts';
import type { ChainVerification } from '../terminator/verdict.ts';
import { oneOf } from './one-of.ts';

type ForwardedFields = Omit<Terminator, 'hop'>;

/** Reads what the proxy forwards, in which fields, and who verified it. Faults are collected in the settings. */
export function readForwardedFields(settings: Settings): ForwardedFields | undefined {
  const meaning = `what the proxy forwards: ${headerFormatNames.join(', ')}`;
  const name = settings.required('TERMINATOR', oneOf(headerFormatNames), meaning);
  const certificateHeader = settings.optional('CERTIFICATE_HEADER', parseFieldName);
  const chainHeader = settings.optional('CHAIN_HEADER', parseFieldName);
  const verdictHeader = settings.optional('VERDICT_HEADER', parseFieldName);
  const verifiedBy = settings.optional('CHAIN_VERIFIED_BY', oneOf(['verdict', 'terminator']));
  if (name === undefined) return undefined;
  const format: HeaderFormat = headerFormats[name];
  if (chainHeader !== undefined && format.chain === undefined) {
    settings.fault('CHAIN_HEADER', `is set, and ${name} forwards no chain in a header of its own`);
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

/** `COUNTERSIGN_VERDICT_HEADER` renames the first of them, or gives a format one that has none. */
function verdictFields({ verdict: [first, ...others] }: HeaderFormat, header: string | undefined): VerdictField[] {
  if (header === undefined) return first ? [first, ...others] : [];
  return [{ header, positive: first?.positive ?? USUAL_POSITIVE }, ...others];
}

function readVerification(
  settings: Settings,
  name: HeaderFormatName,
  [first, ...others]: readonly VerdictField[],
  verifiedBy: 'verdict' | 'terminator' | undefined,
): ChainVerification {
  if (!headerFormats[name].canVerify) return readUnverified(settings, name, first !== undefined, verifiedBy);
  // A declaration does not overrule what the terminator itself says of a certificate.
  if (first) return { by: 'verdict', fields: [first, ...others] };
  if (verifiedBy === 'terminator') return { by: 'terminator' };
  if (verifiedBy === 'verdict') {
    settings.fault(
      'CHAIN_VERIFIED_BY',
      `is verdict, and ${name} forwards none; name it with COUNTERSIGN_VERDICT_HEADER`,
    );
  }
  return {
    by: 'nobody',
    mend:
      `${name} forwards no verdict, and COUNTERSIGN_CHAIN_VERIFIED_BY is not set; ` +
      'set it to terminator if the proxy admits none but verified certificates, ' +
      'or name a header with its verdict in COUNTERSIGN_VERDICT_HEADER',
  };
}

/** Terminators that pass on whatever certificate a client shows. No setting makes that a verified one. */
function readUnverified(
  settings: Settings,
  name: HeaderFormatName,
  hasVerdict: boolean,
  verifiedBy: string | undefined,
): ChainVerification {
  const mend = `${name} forwards certificates that nobody has verified; it can serve self_signed_tls_client_auth only`;
  if (verifiedBy !== undefined) settings.fault('CHAIN_VERIFIED_BY', `is ${verifiedBy}, and ${mend}`);
  if (hasVerdict) settings.fault('VERDICT_HEADER', `is set, and ${mend}`);
  return { by: 'nobody', mend };
}

function requireDifferent(settings: Settings, fields: ForwardedFields): void {
  const headers = forwardedHeaders(fields);
  const repeated = headers.find((header, index) => headers.indexOf(header) !== index);
  if (repeated === undefined) return;
  const setting = fields.chainHeader === repeated ? 'CHAIN_HEADER' : 'VERDICT_HEADER';
  settings.fault(setting, `is ${repeated}, which carries something else already`);
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

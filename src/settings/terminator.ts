import type { HeaderFormat, VerificationField } from '../terminator/format.ts';
import { type HeaderFormatName, headerFormatNames, headerFormats } from '../terminator/formats.ts';
import { type ChainVerification, forwardedHeaders, type Terminator } from '../terminator/terminator.ts';
import { PROXY_SECRET_HEADER } from '../terminator/trusted-proxy.ts';
import { chainSettings, type VerifierName } from './client-ca.ts';
import { oneOf } from './parsers.ts';
import { defineSettings } from './setting.ts';
import type { Settings } from './settings.ts';

export const terminatorSettings = defineSettings('Terminator', {
  TERMINATOR: {
    parse: oneOf(headerFormatNames),
    description: 'terminator in front of this server, such as nginx, envoy or haproxy',
    details: '[All values](terminators.md).',
    required: `set it to the format that the proxy forwards: ${headerFormatNames.join(', ')}`,
  },
  CERTIFICATE_HEADER: {
    parse: parseFieldName,
    description: 'header with the client certificate',
    defaultDescription: "the format's",
  },
  CHAIN_HEADER: {
    parse: parseFieldName,
    description: 'header with the rest of the chain, for formats that have one',
    defaultDescription: "the format's",
  },
  VERIFY_HEADER: {
    parse: parseFieldName,
    description: "header with the terminator's verification of the chain",
    details: 'Renames the first one of the format. If the format has none, adds one, whose success value is `SUCCESS`.',
    defaultDescription: "the format's",
    formerNames: ['VERDICT_HEADER'],
  },
});
const { TERMINATOR, CERTIFICATE_HEADER, CHAIN_HEADER, VERIFY_HEADER } = terminatorSettings;
const { CLIENT_CA_FILE, CHAIN_VERIFIED_BY } = chainSettings;

export type ForwardedFields = Omit<Terminator, 'proxyTrust'>;

/** Reads what the proxy forwards, in which fields, and who verifies the chain. Problems are collected in `settings`. */
export function readForwardedFields(settings: Settings): ForwardedFields | undefined {
  const name = settings.read(TERMINATOR);
  const certificateHeader = settings.read(CERTIFICATE_HEADER);
  const chainHeader = settings.read(CHAIN_HEADER);
  const verifyHeader = settings.read(VERIFY_HEADER);
  const verifier = settings.read(CHAIN_VERIFIED_BY);
  if (name === undefined) return undefined;
  const format: HeaderFormat = headerFormats[name];
  if (chainHeader !== undefined && format.chain === undefined) {
    settings.reject(CHAIN_HEADER, `is set, but ${name} does not forward the chain in a header of its own: remove it`);
  }
  const fields = {
    name,
    certificateHeader: certificateHeader ?? format.certificateHeader,
    chainHeader: format.chain && (chainHeader ?? format.chain.header),
    verification: chainVerification(settings, name, verificationFields(format, verifyHeader), verifier),
  };
  requireDistinctHeaders(settings, fields);
  return fields;
}

/**
 * What another terminator than `COUNTERSIGN_TERMINATOR` forwards, in its usual headers. Settings that rename headers are
 * about that one, and so is the declaration that the terminator admits only verified certificates.
 */
export function otherTerminatorFields(settings: Settings, name: HeaderFormatName): ForwardedFields {
  const { certificateHeader, chain, verification }: HeaderFormat = headerFormats[name];
  return {
    name,
    certificateHeader,
    chainHeader: chain?.header,
    verification: otherVerification(settings, name, verification),
  };
}

function otherVerification(
  settings: Settings,
  name: HeaderFormatName,
  fields: readonly VerificationField[],
): ChainVerification {
  const declared = settings.read(CHAIN_VERIFIED_BY);
  const [first, ...others] = fields;
  if (settings.has(CLIENT_CA_FILE) || declared === 'countersign') return { by: 'countersign', fields };
  if (declared === 'header' && first) return { by: 'header', fields: [first, ...others] };
  if (declared !== undefined) {
    const declaration = `is ${declared}, which cannot apply to ${name} (COUNTERSIGN_EDGE_TERMINATOR)`;
    settings.reject(CHAIN_VERIFIED_BY, `${declaration}: remove it, and set COUNTERSIGN_CLIENT_CA_FILE to ${CLIENT_CA}`);
  }
  return { by: 'none', fields, fix: `COUNTERSIGN_CLIENT_CA_FILE is not set: set it to ${CLIENT_CA}` };
}

/** The value of nginx and Apache, for formats that have no verification header. */
const DEFAULT_SUCCESS_VALUE = 'SUCCESS';

/** `COUNTERSIGN_VERIFY_HEADER` renames the first field of a format, or adds one to a format without. */
function verificationFields(
  { verification: [first, ...others] }: HeaderFormat,
  header: string | undefined,
): VerificationField[] {
  if (header === undefined) return first ? [first, ...others] : [];
  return [{ header, successValue: first?.successValue ?? DEFAULT_SUCCESS_VALUE }, ...others];
}

function chainVerification(
  settings: Settings,
  name: HeaderFormatName,
  fields: readonly VerificationField[],
  declared: VerifierName | undefined,
): ChainVerification {
  const [first, ...others] = fields;
  const hasClientCa = settings.has(CLIENT_CA_FILE);
  reportContradictions(settings, name, fields, declared);
  if (hasClientCa || declared === 'countersign') return { by: 'countersign', fields };
  if (!headerFormats[name].canVerify) return { by: 'none', fields: [], fix: unverified(name) };
  // A declaration does not override what the terminator itself reports of a certificate.
  if (declared !== undefined && first) return { by: 'header', fields: [first, ...others] };
  if (declared === 'terminator') return { by: 'terminator', fields: [] };
  return { by: 'none', fields, fix: `COUNTERSIGN_CLIENT_CA_FILE is not set: set it to ${CLIENT_CA}` };
}

const CLIENT_CA = 'a file or folder with the CA certificates to which the server verifies client certificates';

function reportContradictions(
  settings: Settings,
  name: HeaderFormatName,
  [first]: readonly VerificationField[],
  declared: VerifierName | undefined,
): void {
  const { canVerify } = headerFormats[name];
  if (!canVerify && first) settings.reject(VERIFY_HEADER, `is set, but ${unverified(name)}`);
  if (settings.has(CLIENT_CA_FILE)) {
    if (declared === undefined || declared === 'countersign') return;
    settings.reject(
      CHAIN_VERIFIED_BY,
      `is ${declared}, so COUNTERSIGN_CLIENT_CA_FILE would have no effect: remove one of the two`,
    );
  } else if (declared === 'countersign') {
    settings.reportMissing(CLIENT_CA_FILE, `set it to ${CLIENT_CA}`);
  } else if (declared !== undefined && !canVerify) {
    settings.reject(CHAIN_VERIFIED_BY, `is ${declared}, but ${unverified(name)}`);
  } else if (declared === 'header' && !first) {
    const fix = 'set COUNTERSIGN_VERIFY_HEADER to its name';
    settings.reject(CHAIN_VERIFIED_BY, `is header, but ${name} forwards no verification header: ${fix}`);
  }
}

/** For terminators that forward whatever certificate a client presents: only this server can verify it. */
function unverified(name: HeaderFormatName): string {
  return `${name} forwards certificates that it has not verified; set COUNTERSIGN_CLIENT_CA_FILE to ${CLIENT_CA}`;
}

function requireDistinctHeaders(settings: Settings, fields: ForwardedFields): void {
  const headers = forwardedHeaders(fields);
  const repeated = headers.find((header, index) => headers.indexOf(header) !== index);
  if (repeated === undefined) return;
  const setting = fields.chainHeader === repeated ? CHAIN_HEADER : VERIFY_HEADER;
  settings.reject(setting, `is ${repeated}, which is already used for something else: choose another header`);
}

/** Parses an HTTP field name (RFC 9110 §5.1) without a meaning of its own. Lower-cased, as header names are compared. */
function parseFieldName(text: string): string {
  const name = text.toLowerCase();
  if (reservedHeaders.has(name)) throw new RangeError(`"${text}" has a meaning of its own: choose another header`);
  if (/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) return name;
  throw new RangeError(`"${text}" is not a header name of letters, digits and hyphens`);
}

const reservedHeaders: ReadonlySet<string> = new Set([
  ...['authorization', 'connection', 'content-length', 'content-type', 'cookie', 'date', 'early-data', 'expect'],
  ...['host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'user-agent', PROXY_SECRET_HEADER],
]);

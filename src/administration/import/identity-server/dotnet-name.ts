import { CertificateError } from '../../../pki/certificate/certificate-error.ts';
import {
  type Attribute,
  type MatchableName,
  nonTextReason,
} from '../../../pki/certificate/names/distinguished-name.ts';
import { parseDistinguishedName } from '../../../pki/certificate/names/parse.ts';

/** The name in a secret of type X509Name. */
export interface SecretName {
  /** In .NET's format: the text of the secret, unless that is in another notation. */
  readonly text: string;
  /** As .NET on Linux prints it: equal for two texts of one name, in which case and spaces are the same. */
  readonly printed: string;
  /** Where the text of the secret is what `X509Certificate2.Subject` returns. IdentityServer compares nothing else. */
  readonly printedBy: 'every .NET' | '.NET on Windows' | 'nothing';
}

/**
 * Reads a name in .NET's format or, since that names one certificate as well, in another unambiguous notation.
 *
 * @throws {CertificateError} naming the position and the fix
 */
export function readSecretName(secret: string): SecretName {
  const { name, text } = parseName(secret);
  const printed = formatDotnet(name, nameOnLinux);
  if (secret === printed) return { text, printed, printedBy: 'every .NET' };
  return { text, printed, printedBy: secret === formatDotnet(name, nameOnWindows) ? '.NET on Windows' : 'nothing' };
}

interface ParsedName {
  readonly name: MatchableName;
  readonly text: string;
}

function parseName(text: string): ParsedName {
  try {
    return { name: parseDistinguishedName(text, 'dotnet'), text };
  } catch (error) {
    const other = error instanceof CertificateError ? parseOtherNotation(text) : undefined;
    if (other === undefined) throw error;
    return other;
  }
}

/**
 * RFC 4514, and notations whose direction is stated. The direction of a name with a space after each comma is .NET's
 * even if it is malformed, and must not be inferred from the types.
 */
function parseOtherNotation(text: string): ParsedName | undefined {
  if (/[,;] |\n/.test(text)) return undefined;
  try {
    const name = parseDistinguishedName(text);
    if (nonTextReason(name) !== undefined) return undefined;
    const formatted = formatDotnet(name, nameOnLinux);
    return { name: parseDistinguishedName(formatted, 'dotnet'), text: formatted };
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

type TypeNames = (oid: string) => string;

/** `X500DistinguishedName.Name`: most specific first, `, ` and ` + ` as separators, doubled quotation marks. */
function formatDotnet({ rdns }: MatchableName, nameOf: TypeNames): string {
  const format = ({ type, value }: Attribute) => `${nameOf(type)}=${quoted(value.kind === 'text' ? value.text : '')}`;
  return rdns
    .toReversed()
    .map((rdn) => rdn.map(format).join(' + '))
    .join(', ');
}

function quoted(value: string): string {
  const isPlain = value !== '' && !/[,+="\n<>#;]|^[ \t-\r]|[ \t-\r]$/.test(value);
  return isPlain ? value : `"${value.replaceAll('"', '""')}"`;
}

/** The names that .NET has itself. */
const dotnetNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'S',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'T',
  '2.5.4.13': 'Description',
  '2.5.4.17': 'PostalCode',
  '2.5.4.18': 'POBox',
  '2.5.4.20': 'Phone',
  '2.5.4.42': 'G',
  '2.5.4.43': 'I',
  '2.5.4.46': 'dnQualifier',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'E',
};

/** The names that .NET takes from OpenSSL, so not on Windows. */
const opensslNames: Readonly<Record<string, string>> = {
  '2.5.4.15': 'businessCategory',
  '2.5.4.16': 'postalAddress',
  '2.5.4.41': 'name',
  '2.5.4.44': 'generationQualifier',
  '2.5.4.45': 'x500UniqueIdentifier',
  '2.5.4.65': 'pseudonym',
  '2.5.4.72': 'role',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.1': 'userId',
  '0.9.2342.19200300.100.1.3': 'rfc822Mailbox',
  '1.2.840.113549.1.9.2': 'unstructuredName',
  '1.2.840.113549.1.9.8': 'unstructuredAddress',
  '1.3.6.1.4.1.311.60.2.1.1': 'jurisdictionLocalityName',
  '1.3.6.1.4.1.311.60.2.1.2': 'jurisdictionStateOrProvinceName',
  '1.3.6.1.4.1.311.60.2.1.3': 'jurisdictionCountryName',
};

function nameOnWindows(oid: string): string {
  return dotnetNames[oid] ?? `OID.${oid}`;
}

function nameOnLinux(oid: string): string {
  return dotnetNames[oid] ?? opensslNames[oid] ?? `OID.${oid}`;
}

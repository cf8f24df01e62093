/**
 * Where a type usually stands in a name, from general to specific. Only the one spelling that does not say in which
 * direction it is written is read by this (distinguished-name-text.ts); matching never looks at it.
 */
const rank = { country: 0, state: 1, locality: 2, street: 3, organization: 4, unit: 5, individual: 6 } as const;

type AttributeType = readonly [
  oid: string,
  /** How we print it: the RFC 4514 §3 name where there is one, else the RFC 4519 or OpenSSL name. */
  name: string,
  /** Other names that tools write. */
  aliases: readonly string[],
  rank?: number,
];

/**
 * The attribute types that we know by name. Two names are read otherwise than some writers mean them:
 * `SN` is surname (RFC 4519 §2.32, OpenSSL, Windows), never serialNumber; and `uid` in any case is userId (RFC 4514 §3),
 * although OpenSSL prints the obsolete uniqueIdentifier (0.9.2342.19200300.100.1.44) in lower case so.
 */
const attributeTypes: readonly AttributeType[] = [
  ['2.5.4.3', 'CN', ['commonName'], rank.individual],
  ['2.5.4.4', 'surname', ['SN'], rank.individual],
  ['2.5.4.5', 'serialNumber', [], rank.individual],
  ['2.5.4.6', 'C', ['countryName', 'country'], rank.country],
  ['2.5.4.7', 'L', ['localityName', 'locality'], rank.locality],
  ['2.5.4.8', 'ST', ['stateOrProvinceName', 'S', 'SP', 'state'], rank.state],
  ['2.5.4.9', 'STREET', ['streetAddress'], rank.street],
  ['2.5.4.10', 'O', ['organizationName', 'organization'], rank.organization],
  ['2.5.4.11', 'OU', ['organizationalUnitName', 'organizationalUnit'], rank.unit],
  ['2.5.4.12', 'title', ['T'], rank.individual],
  ['2.5.4.13', 'description', []],
  ['2.5.4.15', 'businessCategory', []],
  ['2.5.4.16', 'postalAddress', []],
  ['2.5.4.17', 'postalCode', []],
  ['2.5.4.18', 'postOfficeBox', ['POBox']],
  ['2.5.4.20', 'telephoneNumber', ['phone']],
  ['2.5.4.41', 'name', [], rank.individual],
  ['2.5.4.42', 'givenName', ['GN', 'G'], rank.individual],
  ['2.5.4.43', 'initials', ['I'], rank.individual],
  ['2.5.4.44', 'generationQualifier', ['generation'], rank.individual],
  ['2.5.4.45', 'x500UniqueIdentifier', [], rank.individual],
  ['2.5.4.46', 'dnQualifier', ['DNQ'], rank.individual],
  ['2.5.4.65', 'pseudonym', [], rank.individual],
  ['2.5.4.72', 'role', [], rank.individual],
  ['2.5.4.97', 'organizationIdentifier', []],
  ['0.9.2342.19200300.100.1.1', 'UID', ['userId'], rank.individual],
  ['0.9.2342.19200300.100.1.3', 'mail', ['rfc822Mailbox'], rank.individual],
  ['0.9.2342.19200300.100.1.25', 'DC', ['domainComponent'], rank.country],
  ['1.2.840.113549.1.9.1', 'emailAddress', ['E', 'email'], rank.individual],
  ['1.2.840.113549.1.9.2', 'unstructuredName', [], rank.individual],
  ['1.2.840.113549.1.9.8', 'unstructuredAddress', []],
  ['1.3.6.1.4.1.311.60.2.1.1', 'jurisdictionL', ['jurisdictionLocalityName']],
  ['1.3.6.1.4.1.311.60.2.1.2', 'jurisdictionST', ['jurisdictionStateOrProvinceName']],
  ['1.3.6.1.4.1.311.60.2.1.3', 'jurisdictionC', ['jurisdictionCountryName']],
];

const byOid = new Map(attributeTypes.map(([oid, name, , rank]) => [oid, { name, rank }]));
const oidByName = new Map(
  attributeTypes.flatMap(([oid, name, aliases]) =>
    [name, ...aliases].map((each) => [each.toLowerCase(), oid] as const),
  ),
);

/**
 * The dotted OID of a type as tools write it: any name of the table in either case, an OID, or an OID after `OID.`
 * (.NET, Windows, Java; RFC 2253 §4). Undefined for a name that we do not know.
 */
export function findAttributeType(written: string): string | undefined {
  const name = written.toLowerCase();
  return oidByName.get(name) ?? readDottedOid(name.startsWith('oid.') ? name.slice(4) : name);
}

/** The name under which we print a type, or undefined where only its OID can be printed. */
export function attributeTypeName(oid: string): string | undefined {
  return byOid.get(oid)?.name;
}

/** From 0, the most general, to 6, what names an individual; undefined for a type with no usual place. */
export function hierarchyRank(oid: string): number | undefined {
  return byOid.get(oid)?.rank;
}

/** RFC 4512 §1.4 `numericoid`, with the limits of X.660 on the first two arcs, so that one OID has one text. */
function readDottedOid(text: string): string | undefined {
  const arcs = text.split('.');
  const wellFormed = arcs.length >= 2 && arcs.every((arc) => /^(0|[1-9][0-9]*)$/.test(arc));
  const [root, second] = arcs.map(Number);
  if (!wellFormed || root === undefined || second === undefined) return undefined;
  return root === 2 || (root < 2 && second < 40) ? text : undefined;
}

/**
 * The usual position of a type in a name, from general to specific. It only determines the direction of notations that
 * do not define one (parse.ts); matching ignores it.
 */
const rank = { country: 0, state: 1, locality: 2, street: 3, organization: 4, unit: 5, individual: 6 } as const;

type AttributeType = readonly [
  oid: string,
  /** The printed name: that of RFC 4514 §3 if there is one, otherwise that of RFC 4519 or OpenSSL. */
  name: string,
  /** Other names that tools use. */
  aliases: readonly string[],
  rank?: number,
];

/**
 * The attribute types known by name. Two names differ from what some tools mean: `SN` is surname (RFC 4519 §2.32,
 * OpenSSL, Windows), never serialNumber; and `uid` in any case is userId (RFC 4514 §3), although OpenSSL prints the
 * obsolete uniqueIdentifier (0.9.2342.19200300.100.1.44) in lower case as `uid`.
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
 * The dotted OID of a type in any notation: a name from the table in any case, an OID, or an OID after `OID.`
 * (.NET, Windows, Java; RFC 2253 §4). Undefined for an unknown name.
 */
export function attributeTypeOid(notation: string): string | undefined {
  const name = notation.toLowerCase();
  return oidByName.get(name) ?? parseDottedOid(name.startsWith('oid.') ? name.slice(4) : name);
}

/** The printed name of a type, or undefined if it is printed as OID. */
export function attributeTypeName(oid: string): string | undefined {
  return byOid.get(oid)?.name;
}

/** From 0, the most general, to 6, which names an individual; undefined for a type without a usual position. */
export function hierarchyRank(oid: string): number | undefined {
  return byOid.get(oid)?.rank;
}

/** RFC 4512 §1.4 `numericoid`, with the limits of X.660 on the first two arcs, so that each OID has one text. */
function parseDottedOid(text: string): string | undefined {
  const arcs = text.split('.');
  const isWellFormed = arcs.length >= 2 && arcs.every((arc) => /^(0|[1-9][0-9]*)$/.test(arc));
  const [root, second] = arcs.map(Number);
  if (!isWellFormed || root === undefined || second === undefined) return undefined;
  return root === 2 || (root < 2 && second < 40) ? text : undefined;
}

import { CertificateError } from '../../../pki/certificate/certificate-error.ts';
import { parseThumbprint } from '../../../pki/certificate/thumbprint.ts';
import { type Comments, ImportError, omitUndefined, type RecordDraft } from '../draft.ts';
import type { Server } from './client.ts';
import { noteOf } from './differences.ts';
import { type Item, itemsOf, type Section, sectionOf, textOf } from './dotnet-configuration.ts';
import { instantOf } from './dotnet-dates.ts';
import { readSecretName } from './dotnet-name.ts';

/** The certificates among the secrets of a client. */
export interface CertificateSecrets {
  /** As entries of `client_secrets`; undefined if there are none. */
  readonly records: readonly RecordDraft[] | undefined;
  /** Why there are none. */
  readonly missing: string;
  /** Why IdentityServer rejects every certificate, if it does. */
  readonly rejections: readonly string[];
}

/** A secret that has not ended. */
interface Secret {
  readonly type: 'X509Name' | 'X509Thumbprint';
  readonly value: string;
  /** Equal for two secrets of one name or thumbprint. */
  readonly identity: string;
  readonly description: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiration: number | undefined;
  /** Why it never matched in IdentityServer, as a clause; undefined if it did. */
  readonly mismatch: string | undefined;
  /** Human-readable. */
  readonly label: string;
}

/** By the values of `SecretTypes`, and by the names of its constants, which are a common mistake; in lower case. */
const certificateTypes: ReadonlyMap<string, Secret['type']> = new Map([
  ['x509name', 'X509Name'],
  ['x509certificatename', 'X509Name'],
  ['x509thumbprint', 'X509Thumbprint'],
  ['x509certificatethumbprint', 'X509Thumbprint'],
]);

const NO_CERTIFICATE =
  'no unexpired secret of type X509Name or X509Thumbprint: register the certificate of this client';

/**
 * Reads `ClientSecrets`. Secrets of other types, ended ones, and those that cannot be read become notes and remarks, which
 * never contain the value.
 */
export function readSecrets(
  client: Section,
  { configuration, now }: Pick<Server, 'configuration' | 'now'>,
  comments: Comments,
): CertificateSecrets {
  const problems: string[] = [];
  const all = itemsOf(client.get('clientsecrets'));
  const items = configuration.isFromTables ? all : withoutRepeated(all);
  const others: string[] = [];
  const read = items.flatMap((item) => {
    try {
      return readSecret(item, others, comments, now);
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      problems.push(error.message);
      return [];
    }
  });
  noteOthers(others, comments);
  const live = onePerIdentity(read);
  if (live.length === 0)
    return { records: undefined, missing: [NO_CERTIFICATE, ...problems].join('; '), rejections: [] };
  for (const problem of problems) comments.notes.push(noteOf('secret_invalid', problem));
  return { records: live.map(recordOf), missing: '', rejections: noteMismatches(live, comments) };
}

/**
 * The configuration of .NET keeps the first of several secrets with the same type and value, even if it has ended and the
 * second has not. A database has both.
 */
function withoutRepeated(items: readonly Item[]): Item[] {
  const seen = new Set<string>();
  return items.filter(({ value }) => {
    if (typeof value !== 'object' || value === null) return false;
    const secret = new Map(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]));
    const key = JSON.stringify([secret.get('type'), secret.get('value')]);
    const isFirst = !seen.has(key);
    seen.add(key);
    return isFirst;
  });
}

function readSecret({ location, value }: Item, others: string[], { remarks }: Comments, now: number): Secret[] {
  const secret = sectionOf(value);
  const written = textOf(secret.get('type')) ?? 'SharedSecret';
  const description = textOf(secret.get('description'));
  const label = `${description === undefined ? location : `the secret "${description}"`} (${written})`;
  const type = certificateTypes.get(written.toLowerCase());
  if (type === undefined) {
    others.push(label);
    return [];
  }
  const expiration = located(label, () => instantOf(secret.get('expiration')));
  if (expiration !== undefined && expiration < now) {
    remarks.push(`${label} was not imported: it expired at ${formatInstant(expiration)}`);
    return [];
  }
  const text = textOf(secret.get('value'));
  if (text === undefined) throw new ImportError(`${label} was not imported: Value is missing`);
  const read = located(label, () => (type === 'X509Name' ? readName(text) : readThumbprint(text)));
  const typeMismatch = written === type ? undefined : `its Type is ${written}; IdentityServer knows ${type}`;
  return [{ type, description, expiration, label, ...read, mismatch: typeMismatch ?? read.mismatch }];
}

/** Adds the secret to errors of its values. */
function located<Value>(label: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ImportError) && !(error instanceof CertificateError)) throw error;
    throw new ImportError(`${label} was not imported: ${error.message}`);
  }
}

type Identified = Pick<Secret, 'value' | 'identity' | 'mismatch'>;

const WINDOWS = 'its name is written as .NET on Windows prints it, which .NET on Linux does not match';

function readName(secret: string): Identified {
  const { text, printed, printedBy } = readSecretName(secret);
  const mismatches = {
    'every .NET': undefined,
    '.NET on Windows': WINDOWS,
    nothing: 'its name is not written as .NET prints it, and IdentityServer compares the text',
  };
  return { value: text, identity: printed, mismatch: mismatches[printedBy] };
}

function readThumbprint(secret: string): Identified {
  const { algorithm, value } = parseThumbprint(secret);
  const isSha1Hex = /^[0-9a-f]{40}$/i.test(secret);
  const mismatch = `its thumbprint is not the 40 hex digits of SHA-1, and IdentityServer compares nothing else`;
  return { value: secret, identity: `${algorithm}:${value}`, mismatch: isSha1Hex ? undefined : mismatch };
}

function noteOthers(others: readonly string[], { notes }: Comments): void {
  if (others.length === 0) return;
  const verb = others.length === 1 ? 'was' : 'were';
  notes.push(
    noteOf('other_secrets', `${others.join(', ')} ${verb} not imported: clients authenticate with certificates only`),
  );
}

/** Of several secrets of one certificate, one that matched in IdentityServer, and of those the one that ends last. */
function onePerIdentity(secrets: readonly Secret[]): Secret[] {
  const groups = Map.groupBy(secrets, ({ type, identity }) => `${type} ${identity}`);
  return [...groups.values()].flatMap((group) => {
    const matched = group.filter(({ mismatch }) => mismatch === undefined);
    const ends = ({ expiration = Number.POSITIVE_INFINITY }: Secret) => expiration;
    return (matched.length > 0 ? matched : group).toSorted((a, b) => ends(b) - ends(a)).slice(0, 1);
  });
}

/** Notes why secrets never matched; if none did, that is why IdentityServer rejects the client. */
function noteMismatches(secrets: readonly Secret[], { notes }: Comments): string[] {
  const mismatched = secrets.filter(({ mismatch }) => mismatch !== undefined);
  const clauses = mismatched.map(({ label, mismatch }) => `${label}: ${mismatch}`);
  if (mismatched.length === secrets.length && mismatched.every(({ mismatch }) => mismatch !== WINDOWS)) return clauses;
  for (const [index, { mismatch }] of mismatched.entries()) {
    const name = mismatch === WINDOWS ? 'secret_of_windows' : 'secret_never_matched';
    notes.push(noteOf(name, `${clauses[index]}; here it is accepted`));
  }
  return [];
}

function recordOf({ type, value, description, expiration }: Secret): RecordDraft {
  return omitUndefined({
    type,
    value,
    description,
    expiration: expiration === undefined ? undefined : formatInstant(expiration),
  });
}

function formatInstant(instant: number): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}

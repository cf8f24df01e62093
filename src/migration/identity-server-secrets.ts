import { itemsOf, type Section, sectionOf, textOf } from './dotnet-configuration.ts';
import { type Comments, type RecordDraft, recordOf } from './draft.ts';

/** The secrets of a client that are certificates, as entries of `client_secrets`. */
export interface CertificateSecrets {
  readonly names: readonly RecordDraft[];
  readonly thumbprints: readonly RecordDraft[];
}

/** `SecretTypes`: the values, and the names of the constants, which many write in their place. */
const kinds: Readonly<Record<string, keyof CertificateSecrets>> = {
  X509Name: 'names',
  X509CertificateName: 'names',
  X509Thumbprint: 'thumbprints',
  X509CertificateThumbprint: 'thumbprints',
};

/** Reads `ClientSecrets`. Those of other types, and those that have ended, become notes; no value is told. */
export function readSecrets(client: Section, { notes }: Comments, now: number): CertificateSecrets {
  const secrets = { names: [] as RecordDraft[], thumbprints: [] as RecordDraft[] };
  for (const { place, value } of itemsOf(client.get('clientsecrets'))) {
    const secret = sectionOf(value);
    const type = textOf(secret.get('type')) ?? 'SharedSecret';
    const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
    const end = endOf(textOf(secret.get('expiration')));
    const description = textOf(secret.get('description'));
    const name = `the secret ${description === undefined ? place : `"${description}"`} of type ${type}`;
    if (kind === undefined) notes.push(`${name} is left out: only certificates authenticate here`);
    else if (end !== undefined && Date.parse(end) < now) notes.push(`${name} is left out: it has ended at ${end}`);
    else secrets[kind].push(recordOf({ type, value: textOf(secret.get('value')), description, expiration: end }));
  }
  return secrets;
}

const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * An instant as .NET means it: without a time the beginning of the day, without an offset UTC. What is not understood
 * stays as it is, for the reader of records to refuse: a secret that no longer ends would be worse than none.
 */
function endOf(text: string | undefined): string | undefined {
  const [, day, time = '00:00', zone = 'Z'] = DATE.exec(text?.trim() ?? '') ?? [];
  const instant = Date.parse(`${day}T${time}${zone.toUpperCase().replace(/^(.\d\d)(\d\d)$/, '$1:$2')}`);
  return Number.isNaN(instant) ? text : new Date(instant).toISOString().replace('.000Z', 'Z');
}

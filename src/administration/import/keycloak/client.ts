import type { Json } from '../../../clients/json-value.ts';
import { CertificateError } from '../../../pki/certificate/certificate-error.ts';
import { formatDistinguishedName } from '../../../pki/certificate/names/distinguished-name.ts';
import { scanCommaForm } from '../../../pki/certificate/names/parse-comma-form.ts';
import { type Comments, type Draft, omitUndefined, parseLifetime, plainNote, skippedDraft } from '../draft.ts';
import { isTrue, type Members, membersOf, textOf } from './json.ts';
import type { Realm } from './realm.ts';
import { readTokenContents } from './scopes.ts';
import { unsupportedFields } from './unsupported.ts';

/**
 * Imports one client, or skips it.
 *
 * @param location where it is in the file, for a client without `clientId`
 */
export function draftKeycloakClient(client: Members, location: string, realm: Realm): Draft {
  const clientId = textOf(client.clientId);
  if (clientId === undefined) return skippedDraft(`(${location})`, 'clientId is missing');
  const skipReason = skipReasonOf(client);
  if (skipReason !== undefined) return skippedDraft(clientId, skipReason);
  const comments: Comments = { notes: [], remarks: [] };
  const subject = readSubject(membersOf(client.attributes));
  const disabledBy = disabledByOf(clientId, realm);
  const record = omitUndefined({
    client_id: clientId,
    ...descriptionOf(client, comments),
    ...(disabledBy !== undefined && { enabled: false }),
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: subject.ok ? subject.dn : subject.text,
    ...tokensOf(client, realm, comments),
  });
  if (disabledBy !== undefined) comments.notes.push(plainNote(`disabled because its ${disabledBy} is disabled`));
  comments.notes.push(...unsupportedFields(client, realm.serviceAccountRoles.get(clientId) ?? []).map(plainNote));
  if (subject.ok) return { kind: 'client', label: clientId, record, ...comments };
  return { kind: 'skipped', label: clientId, reason: subject.reason, record, ...comments };
}

/** Why the client cannot get tokens with a certificate in Keycloak. */
function skipReasonOf(client: Members): string | undefined {
  const protocol = textOf(client.protocol) ?? 'openid-connect';
  if (protocol !== 'openid-connect') return `protocol is ${protocol}; expected openid-connect`;
  if (isTrue(client.bearerOnly)) return 'bearerOnly is true: it is an API and requests no tokens';
  if (isTrue(client.publicClient)) return 'publicClient is true: it does not authenticate';
  const authenticator = textOf(client.clientAuthenticatorType) ?? 'client-secret';
  if (authenticator !== 'client-x509')
    return `it authenticates with ${authenticator}: register the certificate of this client`;
  if (!isTrue(client.serviceAccountsEnabled))
    return 'serviceAccountsEnabled is not true: it cannot use the client credentials grant';
  return undefined;
}

/** What prevents an enabled client from getting tokens. */
function disabledByOf(clientId: string, realm: Realm): string | undefined {
  if (realm.isDisabled) return 'realm';
  return realm.disabledServiceAccounts.has(clientId) ? 'service account' : undefined;
}

function descriptionOf(client: Members, { remarks }: Comments): Record<string, Json | undefined> {
  const [name, description] = [textOf(client.name), textOf(client.description)];
  if (description !== undefined) remarks.push(`description: ${description}`);
  return {
    // Names of built-in clients are placeholders for translations.
    client_name: name?.startsWith('${') ? undefined : name,
    client_uri: textOf(client.baseUrl),
    enabled: client.enabled === undefined || isTrue(client.enabled) ? undefined : false,
  };
}

function tokensOf(client: Members, realm: Realm, comments: Comments): Record<string, Json | undefined> {
  const attributes = membersOf(client.attributes);
  const isBound = isTrue(attributes['tls.client.certificate.bound.access.tokens']);
  return {
    tls_client_certificate_bound_access_tokens: isBound || undefined,
    ...readTokenContents(client, realm, comments),
    access_token_lifetime: lifetimeOf(textOf(attributes['access.token.lifespan']), realm, comments),
  };
}

const SESSION_LIFETIME = '-1';

function lifetimeOf(own: string | undefined, realm: Realm, comments: Comments): number | undefined {
  if (own === SESSION_LIFETIME) {
    const text =
      'access.token.lifespan -1, the lifetime of a session, is not supported: the server default of 3600 applies';
    comments.notes.push(plainNote(text));
    return undefined;
  }
  if (own !== undefined) return parseLifetime(own, 'access.token.lifespan', comments);
  if (realm.lifetime !== undefined) return parseLifetime(realm.lifetime, 'accessTokenLifespan of the realm', comments);
  comments.notes.push(
    plainNote('accessTokenLifespan of the realm is not in this file: the server default of 3600 applies'),
  );
  return undefined;
}

/** The subject DN of a client in the form of RFC 4514, or why there is none, and the original text. */
type Subject =
  | { readonly ok: true; readonly dn: string }
  | { readonly ok: false; readonly reason: string; readonly text: string | undefined };

const PATTERN_SETTING = 'x509.allow.regex.pattern.comparison';

/** Reads `x509.subjectdn` from the attributes of a client. It is a regular expression unless the setting is false. */
function readSubject(attributes: Members): Subject {
  const text = textOf(attributes['x509.subjectdn']);
  if (text === undefined) return { ok: false, reason: 'x509.subjectdn is empty, so no certificate matches', text };
  const setting = attributes[PATTERN_SETTING];
  const isPattern = setting === undefined || setting === null || isTrue(setting);
  const literal = isPattern ? literalText(text) : text;
  if (literal !== undefined) return readName(literal);
  const reason =
    `x509.subjectdn is a regular expression (${PATTERN_SETTING} is ${setting ?? 'not set'}), and a record has one ` +
    'subject DN: write it in the form of RFC 4514';
  return { ok: false, reason, text };
}

/** Java prints the most specific RDN first, as RFC 4514 does, but with spaces after the commas. */
function readName(text: string): Subject {
  try {
    const cursor = { text, at: 0 };
    const { rdns } = scanCommaForm(cursor, 'backslash');
    return { ok: true, dn: formatDistinguishedName({ rdns: rdns.toReversed() }) };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return { ok: false, reason: `x509.subjectdn: ${error.message}`, text };
  }
}

/** The only text that a Java regular expression matches; undefined if there may be several. */
function literalText(pattern: string): string | undefined {
  const inner = pattern.replace(/^\^/, '').replace(/(?<!\\)\$$/, '');
  const rest = inner.replaceAll(/\\[^A-Za-z0-9]/g, '');
  if (/[\\.[\]{}()*+?^$|]/.test(rest)) return undefined;
  return inner.replaceAll(/\\([^A-Za-z0-9])/g, '$1');
}

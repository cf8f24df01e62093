import type { Json } from '../../../clients/json-value.ts';
import { CertificateError } from '../../../pki/certificate/certificate-error.ts';
import { formatDistinguishedName } from '../../../pki/certificate/names/distinguished-name.ts';
import { scanCommaForm } from '../../../pki/certificate/names/parse-comma-form.ts';
import { type Comments, type Draft, readLifetime, recordOf, skipped } from '../draft.ts';
import { isTrue, type Members, membersOf, textOf } from './json.ts';
import type { Realm } from './realm.ts';
import { readContents } from './scopes.ts';
import { unsupportedFields } from './unsupported.ts';

/**
 * What becomes of one client.
 *
 * @param place where it stands, for one without a name
 */
export function draftKeycloakClient(client: Members, place: string, realm: Realm): Draft {
  const clientId = textOf(client.clientId);
  if (clientId === undefined) return skipped(`(${place} of clients)`, 'it has no clientId');
  const obstacle = skipReason(client);
  if (obstacle !== undefined) return skipped(clientId, obstacle);
  const comments: Comments = { notes: [], remarks: [] };
  const subject = readSubject(membersOf(client.attributes));
  const stop = stopOf(clientId, realm);
  const record = recordOf({
    client_id: clientId,
    ...descriptionOf(client, comments),
    ...(stop !== undefined && { enabled: false }),
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: subject.ok ? subject.dn : subject.text,
    ...tokensOf(client, realm, comments),
  });
  if (stop !== undefined) comments.notes.push(`its ${stop} is disabled, and so it is here`);
  comments.notes.push(...unsupportedFields(client, realm.rolesOf.get(clientId) ?? []));
  if (subject.ok) return { kind: 'client', label: clientId, record, ...comments };
  return { kind: 'left_out', label: clientId, why: subject.why, record, ...comments };
}

/** Why it gets no token by its certificate, there as here. */
function skipReason(client: Members): string | undefined {
  const protocol = textOf(client.protocol) ?? 'openid-connect';
  if (protocol !== 'openid-connect') return `its protocol is ${protocol}`;
  if (isTrue(client.bearerOnly)) return 'it is bearer-only: an API, which asks for no token';
  if (isTrue(client.publicClient)) return 'it is public: it does not authenticate';
  const authenticator = textOf(client.clientAuthenticatorType) ?? 'client-secret';
  if (authenticator !== 'client-x509') return `it authenticates by ${authenticator}; register its certificate`;
  if (!isTrue(client.serviceAccountsEnabled)) return 'serviceAccountsEnabled is not true: it has no client credentials';
  return undefined;
}

/** What keeps it from getting tokens although it is enabled itself. */
function stopOf(clientId: string, realm: Realm): string | undefined {
  if (realm.isDisabled) return 'realm';
  return realm.stopped.has(clientId) ? 'service account' : undefined;
}

function descriptionOf(client: Members, { remarks }: Comments): Record<string, Json | undefined> {
  const [name, description] = [textOf(client.name), textOf(client.description)];
  if (description !== undefined) remarks.push(`description: ${description}`);
  return {
    // Keycloak's own names are keys of its translations.
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
    ...readContents(client, realm, comments),
    access_token_lifetime: lifetimeOf(textOf(attributes['access.token.lifespan']), realm, comments),
  };
}

const LIKE_THE_SESSION = '-1';

function lifetimeOf(own: string | undefined, realm: Realm, comments: Comments): number | undefined {
  if (own === LIKE_THE_SESSION) {
    comments.notes.push(
      "access.token.lifespan -1, as long as a session may last, has no equivalent; the server's 3600 hold",
    );
    return undefined;
  }
  if (own !== undefined) return readLifetime(own, 'access.token.lifespan', comments);
  if (realm.lifetime !== undefined) return readLifetime(realm.lifetime, "the realm's accessTokenLifespan", comments);
  comments.notes.push("its lifetime is the realm's, which is not in this file: the 3600 seconds of the server hold");
  return undefined;
}

/** The subject that a client is known by, in RFC 4514; or why it is not known, and what stands there. */
export type Subject =
  | { readonly ok: true; readonly dn: string }
  | { readonly ok: false; readonly why: string; readonly text: string | undefined };

const PATTERN_SETTING = 'x509.allow.regex.pattern.comparison';

/** Reads `x509.subjectdn` from the attributes of a client. Without the setting beside it, it is a pattern. */
export function readSubject(attributes: Members): Subject {
  const text = textOf(attributes['x509.subjectdn']);
  if (text === undefined) return { ok: false, why: 'its x509.subjectdn is empty, so nobody is this client', text };
  const setting = attributes[PATTERN_SETTING];
  const isPattern = setting === undefined || setting === null || isTrue(setting);
  const literal = isPattern ? literalOf(text) : text;
  if (literal !== undefined) return readName(literal);
  const why =
    `its x509.subjectdn is a pattern (${PATTERN_SETTING} is ${setting ?? 'not set'}), and every name that it matches ` +
    'is this client; a record has one name. Write that in RFC 4514';
  return { ok: false, why, text };
}

/** Java reads and prints names from the most specific part on, whatever the spaces; we write RFC 4514, which is that. */
function readName(text: string): Subject {
  try {
    const cursor = { text, at: 0 };
    const { rdns } = scanCommaForm(cursor, 'backslash');
    return { ok: true, dn: formatDistinguishedName({ rdns: rdns.toReversed() }) };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return { ok: false, why: `its x509.subjectdn: ${error.message}`, text };
  }
}

/** What a Java pattern stands for that matches one text only; undefined for others, and in doubt. */
function literalOf(pattern: string): string | undefined {
  const inner = pattern.replace(/^\^/, '').replace(/(?<!\\)\$$/, '');
  const rest = inner.replaceAll(/\\[^A-Za-z0-9]/g, '');
  if (/[\\.[\]{}()*+?^$|]/.test(rest)) return undefined;
  return inner.replaceAll(/\\([^A-Za-z0-9])/g, '$1');
}

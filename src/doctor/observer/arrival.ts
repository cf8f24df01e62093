import { identityHeaders, REMOVAL_HEADER } from '../../edge/approval.ts';
import { readBearerToken } from '../../edge/bearer-token.ts';
import { HeaderFields } from '../../http/header-fields.ts';
import type { HttpRequest } from '../../http/received-request.ts';
import { knownHeaders } from '../../terminator/formats.ts';
import { AccessTokenError } from '../../tokens/access-token.ts';
import type { AccessTokenVerifier } from '../../tokens/access-token-verifier.ts';
import { normalizedName, type ObservedField, observedField, recognizeCertificate } from './observed-fields.ts';

/** What arrived at the upstream of a route that the edge protects. It contains no token. */
export interface Arrival {
  /** By which the doctor recognizes its request. */
  readonly request: string;
  /** The fields that concern identity, in any spelling; at most 64, the value of secret ones redacted. */
  readonly fields: readonly ArrivedField[];
  readonly token: ArrivedToken;
}

export interface ArrivedField extends ObservedField {
  readonly in: 'header' | 'trailer';
}

/** The access token in `Authorization`. */
type ArrivedToken =
  | { readonly kind: 'absent' }
  /** It is not one of this server, or cannot be read. */
  | { readonly kind: 'invalid'; readonly reason: string }
  /** Of this server, for a resource with `binding: none`. */
  | { readonly kind: 'unbound' }
  /** Of this server. `identity` has what the identity headers of its client are, by names in lower case. */
  | { readonly kind: 'valid'; readonly identity: Readonly<Record<string, string>> };

const secretHeaders: ReadonlySet<string> = new Set(['authorization', 'x-countersign-proxy-secret']);
const otherHeaders: ReadonlySet<string> = new Set(['authorization', REMOVAL_HEADER.toLowerCase(), ...knownHeaders]);
const MAX_FIELDS = 64;

/**
 * Describes a request whose body has been read.
 *
 * @param request by which the doctor recognizes it
 * @param now milliseconds since the epoch
 */
export async function describeArrival(
  request: string,
  { fields, rawTrailers }: Pick<HttpRequest, 'fields' | 'rawTrailers'>,
  accessTokens: Pick<AccessTokenVerifier, 'verify'>,
  now: number,
): Promise<Arrival> {
  const arrived = [...arrivedFields(fields, 'header'), ...arrivedFields(new HeaderFields(rawTrailers), 'trailer')];
  return { request, fields: arrived.slice(0, MAX_FIELDS), token: await verifyToken(fields, accessTokens, now) };
}

function arrivedFields(headers: HeaderFields, place: ArrivedField['in']): ArrivedField[] {
  return [...headers.lines()].flatMap(([name, value]) => {
    const normalized = normalizedName(name);
    if (!normalized.startsWith('x-countersign-') && !otherHeaders.has(normalized)) return [];
    const isSecret = secretHeaders.has(normalized);
    return [{ ...observedField(name, value, isSecret, recognizeCertificate(value)), in: place }];
  });
}

async function verifyToken(
  fields: HeaderFields,
  accessTokens: Pick<AccessTokenVerifier, 'verify'>,
  now: number,
): Promise<ArrivedToken> {
  const bearer = readBearerToken(fields);
  if (bearer.kind === 'absent') return bearer;
  if (bearer.kind === 'rejected') return { kind: 'invalid', reason: bearer.reason };
  try {
    const { token } = await accessTokens.verify(bearer.token, now);
    if (token.certificateThumbprint === undefined) return { kind: 'unbound' };
    const { Authorization: _, ...described } = identityHeaders;
    const values = Object.entries(described).map(([name, valueFor]) => {
      return [name.toLowerCase(), valueFor({ ...token, token: undefined })] as const;
    });
    return { kind: 'valid', identity: Object.fromEntries(values) };
  } catch (error) {
    if (error instanceof AccessTokenError) return { kind: 'invalid', reason: `the access token ${error.message}` };
    throw error;
  }
}

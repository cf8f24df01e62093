import type { FormCredential } from '../clients/methods/method.ts';
import type { Form } from '../oauth/form.ts';
import { isClientId } from '../oauth/grammar.ts';
import { invalidClient, invalidRequest } from '../oauth/oauth-error.ts';

/** The client that a request names, and the credentials that it presents besides a certificate. */
export interface PresentedCredentials {
  /** Matches the grammar of `isClientId`. */
  readonly clientId: string;
  readonly methods: readonly FormCredential[];
}

/**
 * Reads the client identifier and credentials from the `Authorization` header and the form (RFC 6749 §2.3.1). Basic
 * with an empty password is a bare `client_id`: .NET clients without a secret send it.
 *
 * @throws {OAuthError} invalid_client or invalid_request
 */
export function readPresentedCredentials(authorization: string | undefined, form: Form): PresentedCredentials {
  const basic = authorization === undefined ? undefined : parseBasic(authorization);
  const inForm = form.get('client_id');
  if (basic && inForm !== undefined && basic.clientId !== inForm) {
    throw invalidRequest('client_id_mismatch', 'The request names two clients.');
  }
  const clientId = basic?.clientId ?? inForm;
  if (clientId === undefined) throw invalidClient('client_id_missing', 'the request has no client_id');
  if (!isClientId(clientId))
    throw invalidClient('client_id_malformed', 'the client_id is malformed (RFC 6749 appendix A.1)');
  const methods: FormCredential[] = [];
  if (basic && basic.secret !== '') methods.push('client_secret_basic');
  if (form.get('client_secret') !== undefined) methods.push('client_secret_post');
  if (form.get('client_assertion') !== undefined) methods.push('client_assertion');
  return { clientId, methods };
}

interface Basic {
  readonly clientId: string;
  readonly secret: string;
}

/** RFC 7617 §2, with both parts form-encoded (RFC 6749 §2.3.1). */
function parseBasic(authorization: string): Basic {
  const [scheme, base64 = '', ...more] = authorization.split(' ', 3);
  if (scheme?.toLowerCase() !== 'basic' || more.length > 0) {
    throw invalidClient(
      'authorization_unsupported',
      'the Authorization header is neither Basic nor one Bearer token, and no other scheme is accepted here',
    );
  }
  const bytes = Buffer.from(base64, 'base64');
  if (base64 === '' || bytes.toString('base64') !== base64)
    throw invalidClient('authorization_malformed', 'the Basic credentials are not base64');
  const text = bytes.toString('latin1');
  const colon = text.indexOf(':');
  if (colon === -1) throw invalidClient('authorization_malformed', 'the Basic credentials have no colon');
  return { clientId: formDecode(text.slice(0, colon)), secret: formDecode(text.slice(colon + 1)) };
}

function formDecode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalidClient('authorization_malformed', 'the Basic credentials are not form-encoded (RFC 6749 §2.3.1)');
  }
}

import type { ClientKeyPair } from '../../doctor/probe/client-key-pair.ts';
import { parseAddress, parseBaseUrlOption } from '../../doctor/probe/options.ts';
import { readCaCertificates, readClientKeyPair } from '../../doctor/probe/read-key-pair.ts';
import { ConfigurationError, OperatorError } from '../../errors/operator-error.ts';
import { type PasswordOptions, readPassword } from '../../files/read-password.ts';
import { CLIENT_ID_GRAMMAR, isClientId } from '../../oauth/grammar.ts';
import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { decodeDistinguishedName } from '../../pki/certificate/names/distinguished-name.ts';
import { parseCertificateStructure } from '../../pki/certificate/structure.ts';
import { codeOfError } from '../exit-codes.ts';
import { printValue } from '../output/document.ts';
import { printWarnings } from '../output/errors.ts';
import type { OutputFormat } from '../output/text.ts';
import { trustSystemCas } from '../system-cas.ts';
import { type DiscoveredServer, discover } from './discover.ts';
import { type ConnectionContext, exchange } from './exchange.ts';
import { explainErrorResponse, jsonObjectIn } from './explain-response.ts';
import { boundThumbprint, decodeJwt, printToken, type TokenReport } from './token-report.ts';

/** The options of the command line, named as there. */
export interface TokenOptions extends PasswordOptions {
  readonly url: string;
  readonly cert: string;
  readonly key?: string;
  readonly cacert?: string;
  readonly connectTo?: string;
  /** Default: the CN of the certificate. */
  readonly clientId?: string;
  readonly scope?: string;
  readonly resource?: readonly string[];
  readonly raw?: boolean;
  readonly output: OutputFormat;
}

/**
 * `countersign token --url URL --cert FILE`: asks for a token with a client certificate, as clients do, and prints it decoded.
 *
 * @returns the exit code: 0; with JSON output, that of the error if no token was issued
 * @throws {OperatorError} with why no token was issued, and the fix; with JSON output, it is printed instead
 */
export async function requestToken(options: TokenOptions): Promise<number> {
  try {
    const report = await obtainToken(options);
    if (options.raw) console.log(report.access_token);
    else if (options.output === 'json') printValue('json', report);
    else await printToken(report, Date.now());
    return 0;
  } catch (error) {
    if (!(error instanceof OperatorError) || options.output !== 'json') throw error;
    printValue('json', {
      error: error instanceof TokenRejectedError ? (error.error ?? null) : null,
      problems: error.problems,
    });
    return codeOfError(error);
  }
}

/** The token endpoint responded without a token. */
class TokenRejectedError extends OperatorError {
  override readonly name = 'TokenRejectedError';
  /** The OAuth error code; undefined if the response is not of an authorization server. */
  readonly error: string | undefined;

  constructor(error: string | undefined, problem: string) {
    super([problem]);
    this.error = error;
  }
}

async function obtainToken(options: TokenOptions): Promise<TokenReport> {
  // 1. Read the files
  const url = parseBaseUrlOption(options.url);
  const context = readContext(options);
  const { clientKeyPair } = context;
  const clientId = clientIdOf(options, clientKeyPair);
  // 2. Find the token endpoint
  const server = await discover(url, context);
  // 3. Ask for the token
  const response = await exchange(server.tokenEndpoint, formOf(clientId, options), context);
  const body = response.status === 200 ? jsonObjectIn(response.body) : undefined;
  if (typeof body?.access_token !== 'string') {
    const { error, problem } = explainErrorResponse(response, clientId);
    throw new TokenRejectedError(error, `${server.tokenEndpoint.href}: ${problem}${expiryHint(clientKeyPair)}`);
  }
  // 4. Decode it
  return reportOn({ ...body, access_token: body.access_token }, { clientId, server, clientKeyPair });
}

function readContext({ cert, key, cacert, connectTo, ...passwordOptions }: TokenOptions): ConnectionContext {
  const address = connectTo === undefined ? undefined : parseAddress(connectTo);
  const warn = (part: string) => printWarnings([part]);
  const files = { certificateFile: cert, keyFile: key, password: readPassword(passwordOptions) };
  const clientKeyPair = readClientKeyPair(files, warn);
  const serverCa = cacert === undefined ? undefined : readCaCertificates(cacert, warn);
  if (serverCa === undefined) trustSystemCas();
  return { clientKeyPair, serverCa, connectTo: address };
}

function clientIdOf({ clientId }: TokenOptions, { der }: ClientKeyPair): string {
  const id = clientId ?? commonNameOf(der);
  if (id === undefined)
    throw new ConfigurationError(['--client-id is missing, and the certificate has no CN to use instead']);
  if (isClientId(id)) return id;
  throw new ConfigurationError([`--client-id: expected ${CLIENT_ID_GRAMMAR}`]);
}

const COMMON_NAME = '2.5.4.3';

/** Undefined if there is none, or more than one, or the certificate is malformed, so that the server will reject it. */
function commonNameOf(der: Uint8Array): string | undefined {
  try {
    const { rdns } = decodeDistinguishedName(parseCertificateStructure(der).subject);
    const [first, ...others] = rdns.flat().filter(({ type }) => type === COMMON_NAME);
    return first?.value.kind === 'text' && others.length === 0 ? first.value.text : undefined;
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

function formOf(clientId: string, { scope, resource = [] }: TokenOptions): string {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId });
  if (scope !== undefined) form.set('scope', scope);
  for (const uri of resource) form.append('resource', uri);
  return form.toString();
}

function expiryHint({ validityViolation }: ClientKeyPair): string {
  return validityViolation === undefined ? '' : `. Your certificate ${validityViolation}`;
}

interface TokenContext {
  readonly clientId: string;
  readonly server: DiscoveredServer;
  readonly clientKeyPair: ClientKeyPair;
}

function reportOn(
  body: Readonly<Record<string, unknown>> & { readonly access_token: string },
  { clientId, server, clientKeyPair }: TokenContext,
): TokenReport {
  const decoded = decodeJwt(body.access_token);
  const bound = decoded && boundThumbprint(decoded.claims);
  const isBound = bound === clientKeyPair.thumbprint;
  const note =
    bound === undefined
      ? 'the token is not bound to a certificate: anyone who has it can use it'
      : 'the token is bound to another certificate than yours: the connection does not end at the terminator of the server';
  return {
    issuer: server.issuer,
    token_endpoint: server.tokenEndpoint.href,
    client_id: clientId,
    access_token: body.access_token,
    token_type: body.token_type ?? null,
    expires_in: body.expires_in ?? null,
    scope: body.scope ?? null,
    header: decoded?.header ?? null,
    claims: decoded?.claims ?? null,
    bound_to_certificate: isBound,
    notes: isBound || !decoded ? server.notes : [...server.notes, note],
  };
}

import { addAuthentication, addChain } from '../authentication/authenticate-request.ts';
import type { ClientCertificateReader } from '../authentication/client-certificate.ts';
import type { RecentExpiries } from '../authentication/recent-expiries.ts';
import type { Registry } from '../clients/registry/registry.ts';
import { type ListenerKind, peerOf } from '../endpoints/request.ts';
import type { TokenRates } from '../grants/token-rates.ts';
import type { HeaderFields } from '../http/header-fields.ts';
import type { ReceivedRequest } from '../http/received-request.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import type { AuditEntry } from '../observability/audit-entry.ts';
import type { RequestTrace } from '../observability/tracing/trace.ts';
import type { Resource } from '../resources/resource.ts';
import type { ContextReader } from '../terminator/request-context.ts';
import type { Peer } from '../terminator/trusted-proxy.ts';
import { counted } from '../text.ts';
import type { AccessTokenVerifier } from '../tokens/access-token-verifier.ts';
import type { Keyring } from '../tokens/keyring/keyring.ts';
import type { TokenRevocations } from '../tokens/revocation/token-revocations.ts';
import type { Approval } from './approval.ts';
import { authenticateByCertificate, rejectionByProxy } from './authenticate-by-certificate.ts';
import type { DecideCheck } from './check.ts';
import { Denial } from './denial.ts';
import { createMinter } from './mint.ts';
import { parseRoute, type RouteKind } from './route.ts';
import { createVerifier } from './verify.ts';

export interface CheckDependencies {
  readonly issuer: string;
  readonly listensOn: ListenerKind;
  readonly readContext: ContextReader;
  readonly readCertificate: ClientCertificateReader;
  readonly registry: Registry;
  readonly keyring: Keyring;
  readonly tokenRates: TokenRates;
  readonly accessTokens: AccessTokenVerifier;
  /** Undefined if tokens cannot be revoked. */
  readonly revocations: Pick<TokenRevocations, 'findKnown'> | undefined;
  /** Of the certificates of authenticated clients. */
  readonly expiries: Pick<RecentExpiries, 'add'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What is known of a check while it is decided; each step adds what it learned. */
export interface CheckProgress {
  readonly trace: RequestTrace;
  readonly entry: AuditEntry;
  peer: Peer | undefined;
  resource: Resource | undefined;
}

/** @throws {Denial}, {OAuthError} or {AccessTokenError} */
type Decide = (request: ReceivedRequest, progress: CheckProgress) => Promise<Approval>;

/** The steps of a check, which depend on the head of the request alone. */
export function createCheckDecider(dependencies: CheckDependencies): Decide {
  const { listensOn, readCertificate, registry, expiries, now } = dependencies;
  const decideBy = createRoutes(dependencies);
  return async (request, progress) => {
    const { entry, trace } = progress;
    const { url = '', fields } = request;
    const time = now();
    const peer = peerOf(request, listensOn, time);
    progress.peer = peer;
    // 1. Read the route.
    const route = parseRoute(url);
    if (!route) throw new Denial('route_unknown', notARoute(url));
    entry.route = route.kind;
    // 2. Find the resource.
    trace.begin('find_resource');
    const resource = route.kind === 'rejected' ? undefined : await findResource(route.name, registry);
    progress.resource = resource;
    if (resource) entry.resource = resource.name;
    // 3. Read what the terminator forwarded; parse the certificate and validate its path.
    trace.begin('read_certificate');
    requireUnstripped(fields);
    const presented = readCertificate({ headers: fields, peer }, entry);
    addChain(entry, presented);
    // 4. Mint, verify or deny.
    if (route.kind === 'rejected' || !resource) throw rejectionByProxy(presented, time);
    trace.begin(route.kind);
    const approval = await decideBy[route.kind]({ resource, headers: fields, presented, peer, now: time }, entry);
    if (presented.kind === 'certificate') expiries.add(presented.certificate.notAfter, time);
    return approval;
  };
}

function notARoute(target: string): string {
  const form = '/edge/{mint|verify|either}/{name of a resource}';
  return `the request target (${counted(target.length, 'byte')}) does not start with ${form}: correct the path of the check in the proxy`;
}

/** @throws {Denial} unknown_route, or {OAuthError} temporarily_unavailable */
async function findResource(name: string, registry: Registry): Promise<Resource> {
  const resource = await registry.findResource(name).catch((error: unknown) => {
    if (error instanceof OAuthError && error.error === 'invalid_target')
      throw new Denial(error.code, error.reason, 'unknown_route');
    throw error;
  });
  if (resource) return resource;
  throw new Denial(
    'resource_unknown',
    `no resource is named "${name}": correct the name in the proxy, or apply the record`,
  );
}

/**
 * A client that names a field in `Connection` causes some proxies to delete it (RFC 9110 §7.6.1): its own token before the
 * check, or what the check has set.
 */
function requireUnstripped(fields: HeaderFields): void {
  const connection = fields.combined('connection');
  if (connection === undefined) return;
  const options = connection.toLowerCase().split(',');
  const ours = options
    .map((option) => option.trim())
    .find((option) => option === 'authorization' || option.startsWith('x-countersign-'));
  if (ours !== undefined)
    throw new Denial('header_stripped', `Connection names ${ours}, which a proxy would therefore remove`);
}

/** How each route decides. A request with `Authorization` is never minted for instead, whichever certificate it has. */
function createRoutes(dependencies: CheckDependencies): Readonly<Record<RouteKind, DecideCheck>> {
  const { registry, accessTokens } = dependencies;
  const mintFor = createMinter(dependencies);
  const mint: DecideCheck = async (check, entry) => {
    const authenticated = await authenticateByCertificate(check.presented, registry, check.now);
    entry.client_id = authenticated.client.clientId;
    addAuthentication(entry, authenticated);
    return mintFor(authenticated, check);
  };
  const verify = createVerifier({ registry, accessTokens, mint: mintFor });
  const either: DecideCheck = (check, entry) =>
    check.headers.all('authorization').length > 0 ? verify(check, entry) : mint(check, entry);
  return { mint, verify, either };
}

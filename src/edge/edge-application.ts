import { addCertificate } from '../authentication/authenticate-request.ts';
import type { ClientCertificateReader } from '../authentication/client-certificate.ts';
import type { Registry } from '../clients/registry/registry.ts';
import { type ListenerKind, peerOf } from '../endpoints/request.ts';
import type { Application, ErrorResponse } from '../http/application.ts';
import type { HeaderFields } from '../http/header-fields.ts';
import type { ReceivedRequest } from '../http/received-request.ts';
import type { AuditEntry, AuditLog, Written } from '../observability/audit.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Resource } from '../resources/resource.ts';
import { createAccessTokenVerifier } from '../tokens/access-token-verifier.ts';
import type { SigningKey } from '../tokens/signing-key.ts';
import type { Approval } from './approval.ts';
import { authenticateByCertificate } from './authenticate-by-certificate.ts';
import type { DecideCheck } from './check.ts';
import { parseCheckHead } from './check-head.ts';
import { Denial, denialHeaders, denialStatus, toDenial } from './denial.ts';
import { createEdgeAudit } from './edge-audit.ts';
import { createMinter } from './mint.ts';
import { respond } from './respond.ts';
import { parseRoute, type RouteKind } from './route.ts';
import { createVerifier } from './verify.ts';

export interface EdgeDependencies {
  readonly issuer: string;
  readonly listensOn: ListenerKind;
  readonly readCertificate: ClientCertificateReader;
  readonly registry: Registry;
  readonly signingKey: SigningKey;
  readonly auditLog: AuditLog;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * The maximum size of the header of a check: what a client may send to the usual proxy (60 KiB, with its path), the
 * certificate, and its chain.
 */
const MAX_HEADER_BYTES = 128 * 1024;

/** The edge: what the edge listener serves. It responds with 200, 401, 403 or 503, and never with a body. */
export function createEdgeApplication(dependencies: EdgeDependencies): Application {
  const decide = createDecider(dependencies);
  return {
    serve: async (request, response) => {
      const decision = await decide(request);
      const isWritten = decision.written === undefined || (await decision.written);
      const { status, headers } = isWritten ? decision : unaudited;
      respond(request, response, status, headers);
    },
    parseHead: parseCheckHead,
    maxHeaderBytes: MAX_HEADER_BYTES,
    sendsDate: false,
    readsBodies: false,
    isShed: () => true,
    overloaded: errorResponse(new Denial('temporarily_unavailable', 'the server is overloaded')),
    malformed: (code) => errorResponse(malformed(code)),
  };
}

/** A decided check. */
interface Decision {
  readonly status: number;
  readonly headers: readonly string[];
  /** Undefined if there is no audit event to wait for. */
  readonly written: Written | undefined;
}

/** Decides a check. Whatever happens, it is counted once and, unless it repeats an earlier one, has one audit event. */
function createDecider(dependencies: EdgeDependencies): (request: ReceivedRequest) => Promise<Decision> {
  const audit = createEdgeAudit(dependencies.auditLog, dependencies.metrics);
  const approve = createApprover(dependencies);
  return async (request) => {
    const entry = audit.begin();
    const start = performance.now();
    let resource: Resource | undefined;
    const onResource = (found: Resource) => {
      resource = found;
      entry.resource = found.name;
    };
    try {
      const approval = await approve(request, entry, onResource);
      const written = audit.approved(entry, approval, performance.now() - start);
      return { status: 200, headers: approval.headers, written };
    } catch (thrown) {
      const denial = toDenial(thrown);
      const status = denialStatus[denial.code];
      Object.assign(entry, { error: denial.code, status, reason: denial.message });
      const written = audit.denied(entry, denial, performance.now() - start, thrown);
      return { status, headers: denialHeaders(denial, resource), written };
    }
  };
}

/** The steps of a check. Each adds what it learned to the audit entry. */
function createApprover(dependencies: EdgeDependencies) {
  const { listensOn, readCertificate, registry, now } = dependencies;
  const decideBy = createRoutes(dependencies);
  return async (
    request: ReceivedRequest,
    entry: AuditEntry,
    onResource: (resource: Resource) => void,
  ): Promise<Approval> => {
    const time = now();
    const peer = peerOf(request, listensOn, time);
    entry.peer = peer.kind === 'unix' ? 'unix' : peer.address;
    // 1. Read the route.
    const { url = '', fields } = request;
    const route = parseRoute(url);
    if (!route) throw unknownRoute(`a request target of ${url.length} bytes does not start with ${ROUTE_FORM}`);
    entry.route = route.kind;
    requireUnstripped(fields);
    // 2. Find the resource.
    const resource = await registry.findResource(route.name);
    if (!resource) throw unknownRoute(`no resource is named "${route.name}"`);
    onResource(resource);
    // 3. Read what the terminator forwarded; parse the certificate and validate its path.
    const presented = readCertificate({ headers: fields, peer });
    addCertificate(entry, presented);
    // 4. Decide.
    const check = { resource, headers: fields, presented, peer, now: time };
    return decideBy[route.kind](check, entry);
  };
}

/**
 * A client that names a field in `Connection` causes some proxies to delete it (RFC 9110 §7.6.1): its own token before the
 * check, or what the check has set.
 */
function requireUnstripped(fields: HeaderFields): void {
  const connection = fields.combined('connection');
  if (connection === undefined) return;
  const named = connection
    .toLowerCase()
    .split(',')
    .map((option) => option.trim());
  const ours = named.find((option) => option === 'authorization' || option.startsWith('x-countersign-'));
  if (ours !== undefined) throw new Denial('invalid_request', `Connection names ${ours}`);
}

const ROUTE_FORM = '/edge/{mint|verify|either}/{name of a resource}';

function unknownRoute(reason: string): Denial {
  return new Denial('unknown_route', `${reason}: correct the configuration of the proxy, or add the resource`);
}

/** How each route decides. A request with `Authorization` is never minted for instead, whichever certificate it has. */
function createRoutes(dependencies: EdgeDependencies): Readonly<Record<RouteKind, DecideCheck>> {
  const { issuer, registry, signingKey } = dependencies;
  const findKey = (keyId: string) => (keyId === signingKey.keyId ? signingKey : undefined);
  const accessTokens = createAccessTokenVerifier({ issuer, findKey });
  const mintFor = createMinter(dependencies);
  const mint: DecideCheck = async (check, entry) => {
    const authenticated = await authenticateByCertificate(check.presented, registry, check.now);
    entry.client_id = authenticated.client.clientId;
    entry.method = authenticated.method;
    if (authenticated.advice !== undefined) entry.advice = authenticated.advice;
    return mintFor(authenticated, check);
  };
  const verify = createVerifier({ registry, accessTokens, mint: mintFor });
  const either: DecideCheck = (check, entry) =>
    (check.headers.all('authorization').length > 0 ? verify : mint)(check, entry);
  return { mint, verify, either };
}

/** The one response without an audit event. The log output reports on standard error why there is none. */
const unaudited = {
  status: 503,
  headers: denialHeaders(new Denial('temporarily_unavailable', 'the log cannot be written'), undefined),
};

/** What a request that could not be parsed amounts to, by the code of `MalformedRequest`. */
function malformed(code: string): Denial {
  if (code === 'INVALID_METHOD') return new Denial('unknown_route', 'CONNECT has no path');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Denial('temporarily_unavailable', 'the request is incomplete');
  return new Denial('invalid_request', code);
}

const phrases = { 401: 'Unauthorized', 403: 'Forbidden', 503: 'Service Unavailable' } as const;

function errorResponse(denial: Denial): ErrorResponse {
  const status = denialStatus[denial.code];
  const list = denialHeaders(denial, undefined);
  const names = list.filter((_, index) => index % 2 === 0);
  const headers = Object.fromEntries(names.map((name, index) => [name, list[2 * index + 1] ?? '']));
  return { status, phrase: phrases[status], headers, body: '' };
}

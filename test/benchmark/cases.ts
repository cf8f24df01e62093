import { administration } from './administration/administration.ts';
import type { Case, RunContext } from './cases/case.ts';
import { idle } from './cases/idle.ts';
import { openLoopCase } from './cases/open-loop.ts';
import { overload } from './cases/overload.ts';
import { soak } from './cases/soak.ts';
import { startUp } from './cases/start-up.ts';
import { steps } from './cases/steps.ts';
import { throughputCase } from './cases/throughput.ts';
import { behindNginx } from './contenders/behind-nginx.ts';
import { type Contender, forFirstClient } from './contenders/contender.ts';
import { bareHonoFor, type CheckKind, edge } from './contenders/edge.ts';
import { limits } from './contenders/limit.ts';

import { type ServeOptions, serve } from './contenders/serve.ts';
import { approvals } from './load/check-request.ts';
import { ratioTarget } from './report/targets.ts';

/** Every case, in the order in which they run. */
export const cases = {
  'one-client': throughputCase({
    title: 'One client, known certificate (ES256)',
    description: 'one client of a CA whose certificate is known',
    contenders: (context) => [...Object.values(limits), ...withBothStores(context), ...context.peers],
    targets: (measurements) => [
      ...ratioTarget(measurements, {
        title: 'known client in a file, relative to limit A',
        contender: 'serve, file',
        relativeTo: 'limit A',
        limit: 1.35,
      }),
      ...ratioTarget(measurements, {
        title: 'known client in Redis, relative to limit A',
        contender: 'serve, Redis',
        relativeTo: 'limit A',
        limit: 1.35,
      }),
      ...ratioTarget(measurements, {
        title: 'known client, relative to oidc-provider',
        contender: 'serve, file',
        relativeTo: 'oidc-provider',
        limit: 0.5,
      }),
      ...ratioTarget(measurements, {
        title: 'Redis, relative to a file',
        contender: 'serve, Redis',
        relativeTo: 'serve, file',
        limit: 1.03,
      }),
    ],
  }),
  'many-clients': throughputCase({
    title: '10,000 clients in rotation, each with a certificate of its own',
    description: '10,000 clients in rotation',
    clients: 10_000,
    contenders: (context) => [
      limits.A,
      ...ofEveryTree(context, { clients: 'file' }).map(forFirstClient),
      ...withBothStores(context),
    ],
    targets: (measurements) =>
      ratioTarget(measurements, {
        title: '10,000 clients in rotation, relative to one of them',
        contender: 'serve, file',
        relativeTo: 'serve, file, only one client',
        limit: 1.15,
      }),
  }),
  'rotating-certificates': throughputCase({
    title: '12,000 certificates in rotation, over a certificate cache of 10,000',
    description: 'more certificates in rotation than the certificate cache holds',
    certificates: 'rotating',
    contenders: (context) => [limits.A, ...ofEveryTree(context, { clients: 'file' })],
  }),
  'new-certificates': throughputCase({
    title: 'New certificates, each seen once',
    description: 'certificates that are each presented once',
    certificates: 'once',
    contenders: (context) => [limits.A, ...ofEveryTree(context, { clients: 'file' })],
    targets: (measurements) =>
      ratioTarget(measurements, {
        title: 'new certificate, its path validated, relative to limit A',
        contender: 'serve, file',
        relativeTo: 'limit A',
        limit: 3,
      }),
  }),
  eddsa: throughputCase({
    title: 'EdDSA (Ed25519)',
    description: 'tokens signed with Ed25519',
    algorithm: 'EdDSA',
    contenders: (context) => [...Object.values(limits), ...ofEveryTree(context, { clients: 'file' }), ...context.peers],
  }),
  rs256: throughputCase({
    title: 'RS256 (RSA, 2048 bits)',
    description: 'tokens signed with RSA',
    algorithm: 'RS256',
    requests: 500,
    contenders: (context) => [...Object.values(limits), ...ofEveryTree(context, { clients: 'file' }), ...context.peers],
  }),
  audit: throughputCase({
    title: 'Where the audit log goes',
    description: 'audit log to a file, a pipe and /dev/null',
    contenders: (context) => [
      limits.A,
      ...ofEveryTree(context, { clients: 'file', audit: 'file' }),
      ...ofEveryTree(context, { clients: 'file', audit: 'pipe' }),
      ...ofEveryTree(context, { clients: 'file', audit: '/dev/null' }),
    ],
  }),
  nginx: throughputCase({
    title: 'Behind nginx with mutual TLS, keep-alive',
    description: 'through nginx with mutual TLS, keep-alive connections',
    certificates: 'handshake',
    contenders: limitAndServeBehindNginx,
  }),
  'nginx-handshakes': throughputCase({
    title: 'Behind nginx with mutual TLS, a handshake per token',
    description: 'through nginx with mutual TLS, a handshake per token',
    certificates: 'handshake',
    requestsPerConnection: 1,
    requests: 500,
    contenders: limitAndServeBehindNginx,
  }),
  'edge-mint': checkCase('mint', {
    title: 'A check of the edge that reuses a minted token (ES256)',
    description: 'checks of the edge, whose token was minted before',
    target: 'check with a reused token, relative to bare Hono',
  }),
  'edge-verify': checkCase('verify', {
    title: 'A check of the edge with a token that was verified before (ES256)',
    description: 'checks of the edge with a token that was verified before',
    target: 'check of a cached token, relative to bare Hono',
  }),
  'open-loop': openLoopCase((context) => [limits.A, ...withBothStores(context), ...context.peers]),
  overload,
  steps,
  'start-up': startUp,
  idle,
  soak,
  administration,
} as const satisfies Record<string, Case>;

export type CaseName = keyof typeof cases;

/** Safe: the table above is closed, so its keys are the names. */
export const caseNames = Object.keys(cases) as readonly CaseName[];

function ofEveryTree({ trees }: RunContext, options: ServeOptions): readonly Contender[] {
  return trees.map((tree) => serve(tree, options));
}

function withBothStores(context: RunContext): readonly Contender[] {
  return [...ofEveryTree(context, { clients: 'file' }), ...ofEveryTree(context, { clients: 'Redis' })];
}

function limitAndServeBehindNginx(context: RunContext): readonly Contender[] {
  return [limits.A, ...ofEveryTree(context, { clients: 'file' })].map(behindNginx);
}

interface CheckCase {
  readonly title: string;
  readonly description: string;
  /** The title of its target: a server that decides nothing has at least 0.8 of the rate. */
  readonly target: string;
}

function checkCase(kind: CheckKind, { title, description, target }: CheckCase): Case {
  return throughputCase({
    title,
    description,
    answer: approvals,
    contenders: ({ trees }) => [bareHonoFor(kind), ...trees.map((tree) => edge(tree, kind))],
    targets: (measurements) =>
      ratioTarget(measurements, { title: target, contender: 'edge, file', relativeTo: 'bare Hono', limit: 1.25 }),
  });
}

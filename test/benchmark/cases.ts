import type { Case, RunContext } from './cases/case.ts';
import { throughputCase } from './cases/throughput.ts';
import type { Contender } from './contenders/contender.ts';
import { limits } from './contenders/limit.ts';
import { type ServeOptions, serve } from './contenders/serve.ts';

/** Every case, in the order in which they run. */
export const cases = {
  'one-client': throughputCase({
    title: 'One client, known certificate',
    description: 'one client of a CA whose certificate is known',
    contenders: (context) => [
      ...Object.values(limits),
      ...ofEveryTree(context, { clients: 'file' }),
      ...ofEveryTree(context, { clients: 'Redis' }),
    ],
  }),
  'many-clients': throughputCase({
    title: '10,000 clients in rotation, each with a certificate of its own',
    description: '10,000 clients in rotation',
    clients: 10_000,
    contenders: (context) => [
      limits.A,
      ...ofEveryTree(context, { clients: 'file' }),
      ...ofEveryTree(context, { clients: 'Redis' }),
    ],
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
  }),
  eddsa: throughputCase({
    title: 'EdDSA',
    description: 'tokens signed with Ed25519',
    algorithm: 'EdDSA',
    contenders: (context) => [...Object.values(limits), ...ofEveryTree(context, { clients: 'file' })],
  }),
  rs256: throughputCase({
    title: 'RS256',
    description: 'tokens signed with RSA, 2048 bits',
    algorithm: 'RS256',
    requests: 1_000,
    contenders: (context) => [...Object.values(limits), ...ofEveryTree(context, { clients: 'file' })],
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
} as const satisfies Record<string, Case>;

export type CaseName = keyof typeof cases;

/** Safe: the table above is closed, so its keys are the names. */
export const caseNames = Object.keys(cases) as readonly CaseName[];

function ofEveryTree({ trees }: RunContext, options: ServeOptions): readonly Contender[] {
  return trees.map((tree) => serve(tree, options));
}

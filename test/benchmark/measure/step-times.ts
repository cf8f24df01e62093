import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallFrame, CpuProfile, ProfileNode } from './cpu-profile.ts';

/**
 * The steps of a token request (docs/architecture.md), and the files of each: what a path from the root of the repository
 * starts with. The longest match counts. A file of no step, such as a cache or a library, belongs to the step that calls it.
 */
export const stepFiles = {
  form: ['src/oauth/form.ts', 'src/endpoints/request.ts', 'src/authentication/presented-credentials.ts'],
  terminator: ['src/terminator/', 'src/authentication/client-certificate.ts'],
  parse: ['src/terminator/certificate-reader.ts', 'src/terminator/encodings/', 'src/pki/certificate/'],
  path: ['src/pki/path/', 'src/pki/crl/', 'src/pki/certificate/certificate-signature.ts'],
  find: ['src/clients/registry/', 'src/cache/near-cache.ts', 'src/redis/'],
  authenticate: ['src/authentication/authenticate-client.ts', 'src/clients/methods/'],
  authorize: ['src/grants/'],
  claims: ['src/tokens/access-token-claims.ts'],
  sign: ['src/tokens/', 'node_modules/jose/'],
  audit: ['src/observability/'],
  respond: ['src/endpoints/respond.ts'],
  'between the steps': ['src/endpoints/token.ts', 'src/authentication/authenticate-request.ts'],
} as const satisfies Record<string, readonly string[]>;

/** The rows of the table: the steps, and what surrounds them. */
export type TimedStep = keyof typeof stepFiles | 'HTTP: Hono, Node.js' | 'sockets, event loop' | 'garbage collection';

/** V8's names for what is not a function. */
const pseudoFunctions: Readonly<Record<string, TimedStep>> = {
  '(garbage collector)': 'garbage collection',
  '(program)': 'sockets, event loop',
};

/**
 * The share of each step in the busy time of the main thread, from 0 to 1. A sample belongs to the innermost function on
 * its stack that is part of a step.
 *
 * @param root of the repository
 */
export function stepShares(profile: CpuProfile, root: string): ReadonlyMap<TimedStep, number> {
  const stepOfNode = nodeSteps(profile.nodes, sourceFinder(root));
  const times = new Map<TimedStep, number>();
  let busy = 0;
  profile.samples.forEach((id, index) => {
    const step = stepOfNode.get(id);
    const time = profile.timeDeltas[index] ?? 0;
    if (step === undefined || time <= 0) return;
    busy += time;
    times.set(step, (times.get(step) ?? 0) + time);
  });
  return new Map([...times].map(([step, time]) => [step, time / busy]));
}

/** By the id of the node. Idle time has no step. */
function nodeSteps(nodes: readonly ProfileNode[], sourceOf: (frame: CallFrame) => string): Map<number, TimedStep> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const own = new Map(nodes.map(({ id, callFrame }) => [id, stepOfFile(sourceOf(callFrame))]));
  const stepOf = (id: number | undefined): TimedStep =>
    id === undefined ? 'HTTP: Hono, Node.js' : (own.get(id) ?? stepOf(parents.get(id)));
  return new Map(
    nodes
      .filter(({ callFrame }) => callFrame.functionName !== '(idle)')
      .map(({ id, callFrame }) => [id, pseudoFunctions[callFrame.functionName] ?? stepOf(id)]),
  );
}

/** @param file a path from the root of the repository */
function stepOfFile(file: string): keyof typeof stepFiles | undefined {
  let best: { step: keyof typeof stepFiles; length: number } | undefined;
  for (const step of Object.keys(stepFiles) as (keyof typeof stepFiles)[]) {
    for (const prefix of stepFiles[step]) {
      if (file.startsWith(prefix) && prefix.length > (best?.length ?? 0)) best = { step, length: prefix.length };
    }
  }
  return best?.step;
}

/** Finds the source file of a function, through the source map of a build, as a path from the root of the repository. */
function sourceFinder(root: string): (frame: CallFrame) => string {
  const maps = new Map<string, SourceMap | undefined>();
  return ({ url, lineNumber, columnNumber }) => {
    if (!url.startsWith('file:')) return '';
    const file = fileURLToPath(url);
    if (!maps.has(file)) maps.set(file, readSourceMap(`${file}.map`));
    const entry = maps.get(file)?.findEntry(lineNumber, columnNumber);
    const source = entry && 'originalSource' in entry ? resolve(file, '..', entry.originalSource) : file;
    return relative(root, source);
  };
}

function readSourceMap(file: string): SourceMap | undefined {
  return existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
}

import { on } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'vitest';
import type { ListenAddress } from '../../src/http/listen-address.ts';
import { eventually } from './eventually.ts';
import { countCalls, type FunctionCalls } from './function-calls.ts';

/** What happens once for a record, a certificate, a key or a token, and the functions that do it. */
const preparation: readonly [what: string, isPart: (called: FunctionCalls) => boolean][] = [
  ['schema', ({ file }) => file.startsWith('node_modules/zod/')],
  ['record', ({ file }) => file === 'src/clients/parse-client.ts' || file === 'src/clients/stored-record.ts'],
  ['lookup in Redis', ({ file }) => file === 'src/clients/registry/load-record.ts'],
  ['certificate', ({ name }) => name === 'decodeChain' || name === 'parseCertificateStructure'],
  ['address of the proxy', ({ name }) => name === 'isInBlockList'],
  ['path', ({ file }) => file === 'src/pki/path/build-paths.ts'],
  ['jose', ({ file }) => file.startsWith('node_modules/jose/')],
];

/** Requests of one known client to a server in this process. */
export interface KnownRequests {
  readonly address: ListenAddress;
  readonly request: Uint8Array;
  /** The last characters of a response. */
  readonly end: string;
  /** How many requests. */
  readonly count: number;
  /** How often each request calls a function. */
  readonly calls: readonly (readonly [file: string, name: string, calls: number])[];
}

/**
 * What a server prepares for the first of these requests.
 *
 * @throws {Error} if the others repeat some of it each time, or call a function more or less often
 */
export async function preparedForFirst(requests: KnownRequests): Promise<string[]> {
  const first = await countCalls(() => send(requests, 1));
  let repeated: readonly string[] = [];
  const repeatsNothing = async (count: number) => {
    const others = await countCalls(() => send(requests, count));
    repeated = [...partsOf(others), ...unexpectedCalls(others, requests.calls, count)];
    return repeated.length === 0;
  };
  const explain = () => `repeated: ${repeated.join(', ')}`;
  // Records are looked up again when the invalidation feed of Redis has connected.
  await eventually(() => repeatsNothing(1), explain);
  await eventually(() => repeatsNothing(requests.count), explain);
  return partsOf(first);
}

function partsOf(called: readonly FunctionCalls[]): string[] {
  return preparation.filter(([, isPart]) => called.some(isPart)).map(([what]) => what);
}

function unexpectedCalls(called: readonly FunctionCalls[], expected: KnownRequests['calls'], count: number): string[] {
  return expected.flatMap(([file, name, perRequest]) => {
    const calls = called.find((each) => each.file === file && each.name === name)?.calls ?? 0;
    return calls === perRequest * count ? [] : [`${calls} calls of ${name} in ${file} for ${count} requests`];
  });
}

const CONNECTIONS = 8;

/** Each connection sends its next request when it has received the whole response to the last. */
async function send({ address, request, end }: KnownRequests, count: number): Promise<void> {
  let sent = 0;
  await Promise.all(
    Array.from({ length: Math.min(count, CONNECTIONS) }, async () => {
      const socket = connect(portOf(address), '127.0.0.1').setEncoding('latin1');
      const responses = on(socket, 'data');
      for (sent += 1; ; sent += 1) {
        socket.write(request);
        let response = '';
        while (!response.endsWith(end)) response += (await responses.next()).value;
        expect(response).toMatch(/^HTTP\/1\.1 200 /);
        if (sent >= count) break;
      }
      socket.destroy();
    }),
  );
}

export function portOf(address: ListenAddress | undefined): number {
  if (address?.kind !== 'tcp') throw new Error('the server does not listen on TCP');
  return address.port;
}

import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenRequests } from '../faults/token-load.ts';
import { selfSigned } from '../support/certificates.ts';
import { type RunningProgram, startProgram } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { cpuSecondsOf } from './cpu-of.ts';

/**
 * `npm run benchmark:token [ROUNDS]`: how much CPU time one token of a known client costs, beside what a bare server of
 * the same libraries needs that reads a form and answers, and one that signs as well. The three take turns, so that what
 * else the machine does falls upon all. It prints and does not judge.
 */
const ROUNDS = Number(process.argv[2] ?? 9);
const REQUESTS = 4_000;
const AT_ONCE = 20;

const directory = mkdtempSync(join(tmpdir(), 'cs-cost-'));
const certificate = selfSigned();
const contenders = [startBare('bare'), startBare('signs', 'sign'), startCountersign()];
try {
  for (const { program } of contenders) {
    await eventually(() => program.stdout().includes('listening'), program.stderr, 15_000);
  }
  for (const contender of contenders) await round(contender);
  for (let number = 0; number < ROUNDS; number += 1) {
    for (const contender of contenders) contender.costs.push(await round(contender));
  }
  report();
} finally {
  await Promise.all(contenders.map(({ program }) => program.stop()));
  rmSync(directory, { recursive: true });
}

interface Contender {
  readonly name: string;
  readonly program: RunningProgram;
  readonly socket: string;
  /** CPU microseconds for each request, of each round. */
  readonly costs: number[];
}

/** @returns CPU microseconds for each request */
async function round({ program, socket, name }: Contender): Promise<number> {
  const ask = tokenRequests(`unix:${socket}`, certificate);
  const before = cpuSecondsOf(program.pid);
  let asked = 0;
  const worker = async () => {
    while (asked < REQUESTS) {
      asked += 1;
      const { status, error } = await ask('device');
      if (status !== 200) throw new Error(`${name} answered ${status} ${error}: ${program.stderr()}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return ((cpuSecondsOf(program.pid) - before) * 1e6) / REQUESTS;
}

function report(): void {
  const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
  const [bare, , countersign] = contenders.map(({ costs }) => costs);
  for (const { name, costs } of contenders) {
    console.log(`${name.padEnd(12)} ${median(costs).toFixed(0).padStart(5)} µs of CPU for a request`);
  }
  const ratios = (countersign ?? []).map((cost, index) => cost / (bare?.[index] ?? Number.NaN));
  console.log(`countersign costs ${median(ratios).toFixed(2)} times the bare one (median of ${ROUNDS} rounds)`);
}

function startBare(name: string, ...work: string[]): Contender {
  const socket = join(directory, `${name}.sock`);
  const file = join(repositoryRoot, 'test/benchmark/bare-server.ts');
  return { name, socket, costs: [], program: startProgram(process.execPath, [file, socket, ...work]) };
}

function startCountersign(): Contender {
  const [socket, key, clients] = ['countersign.sock', 'key.pem', 'clients.json'].map((name) => join(directory, name));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(key ?? '', privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const method = 'self_signed_tls_client_auth';
  const certificates = [{ thumbprint: certificate.thumbprint }];
  const record = { client_id: 'device', token_endpoint_auth_method: method, certificates, scope: 'read write' };
  writeFileSync(clients ?? '', JSON.stringify([record]));
  const env = {
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_TERMINATOR: 'nginx',
    COUNTERSIGN_LISTEN: `unix:${socket}`,
    COUNTERSIGN_OPERATIONS_LISTEN: 'off',
    COUNTERSIGN_SIGNING_KEY_FILE: key ?? '',
    COUNTERSIGN_CLIENTS_FILE: clients ?? '',
  };
  const program = startProgram(process.execPath, [join(repositoryRoot, 'src/main.ts'), 'serve'], { env });
  return { name: 'countersign', socket: socket ?? '', costs: [], program };
}

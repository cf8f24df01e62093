import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenRequester } from '../faults/token-load.ts';
import { selfSigned } from '../support/certificates.ts';
import { type RunningProgram, startProgram } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { cpuSeconds } from './cpu-time.ts';

/**
 * `npm run benchmark:token [ROUNDS]`: prints the CPU time per token of a cached client, beside a bare server with the same
 * libraries that reads a form and responds, and one that also signs. The three run in alternation, so that other load on
 * the machine affects all of them. It has no thresholds.
 */
const ROUNDS = Number(process.argv[2] ?? 9);
const REQUESTS = 4_000;
const CONCURRENCY = 20;

const directory = mkdtempSync(join(tmpdir(), 'cs-cost-'));
const certificate = selfSigned();
const candidates = [startBare('bare'), startBare('signs', 'sign'), startCountersign()];
try {
  for (const { program } of candidates) {
    await eventually(() => program.stdout().includes('listening'), program.stderr, 15_000);
  }
  for (const candidate of candidates) await runRound(candidate);
  for (let number = 0; number < ROUNDS; number += 1) {
    for (const candidate of candidates) candidate.costs.push(await runRound(candidate));
  }
  report();
} finally {
  await Promise.all(candidates.map(({ program }) => program.stop()));
  rmSync(directory, { recursive: true });
}

interface Candidate {
  readonly name: string;
  readonly program: RunningProgram;
  readonly socket: string;
  /** CPU microseconds per request, by round. */
  readonly costs: number[];
}

/** @returns CPU microseconds per request */
async function runRound({ program, socket, name }: Candidate): Promise<number> {
  const requestToken = tokenRequester(`unix:${socket}`, certificate);
  const before = cpuSeconds(program.pid);
  let requests = 0;
  const worker = async () => {
    while (requests < REQUESTS) {
      requests += 1;
      const { status, error } = await requestToken('device');
      if (status !== 200) throw new Error(`${name}: status ${status} ${error}: ${program.stderr()}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return ((cpuSeconds(program.pid) - before) * 1e6) / REQUESTS;
}

function report(): void {
  const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
  const [bare, , countersign] = candidates.map(({ costs }) => costs);
  for (const { name, costs } of candidates) {
    console.log(`${name.padEnd(12)} ${median(costs).toFixed(0).padStart(5)} µs of CPU time per request`);
  }
  const ratios = (countersign ?? []).map((cost, index) => cost / (bare?.[index] ?? Number.NaN));
  console.log(
    `countersign takes ${median(ratios).toFixed(2)} times the CPU time of the bare server (median of ${ROUNDS} rounds)`,
  );
}

function startBare(name: string, ...work: string[]): Candidate {
  const socket = join(directory, `${name}.sock`);
  const file = join(repositoryRoot, 'test/benchmark/bare-server.ts');
  return { name, socket, costs: [], program: startProgram(process.execPath, [file, socket, ...work]) };
}

function startCountersign(): Candidate {
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

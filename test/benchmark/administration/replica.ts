import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tokenRequester } from '../../faults/token-load.ts';
import { selfSigned } from '../../support/certificates.ts';
import { startProgram } from '../../support/child-process.ts';
import { eventually } from '../../support/eventually.ts';
import { openRedisRegistry } from '../../support/redis-registry.ts';
import { residentMemory } from '../measure/resident-memory.ts';
import { quantile } from '../measure/statistics.ts';
import type { Tree } from '../tree.ts';

export interface ReplicaOptions {
  readonly tree: Tree;
  readonly url: string;
  readonly directory: string;
  readonly size: number;
  readonly clientIdAt: (index: number) => string;
}

const MAX_REQUESTS = 200_000;
const CONCURRENCY = 100;

/** Resident MiB. */
export interface ReplicaMemory {
  readonly before: number;
  readonly after: number;
  readonly peak: number;
}

/** Medians in microseconds. */
export interface LookupTimes {
  readonly miss: number;
  readonly hit: number;
}

/** The memory of a replica with default settings before and after it has served many clients. */
export async function measureReplicaMemory(options: ReplicaOptions): Promise<ReplicaMemory> {
  const { directory, size, clientIdAt } = options;
  const replica = startReplica(options);
  const listening = join(directory, `replica-${size}.sock`);
  await eventually(() => replica.stdout().includes('"listening"'), replica.stderr, 10_000);
  const requestToken = tokenRequester(`unix:${listening}`, selfSigned());
  const requestAll = async (count: number) => {
    let next = 0;
    const worker = async () => {
      while (next < count) await requestToken(clientIdAt(next++ % size));
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  };
  // Many requests of one client: the process reaches its usual size while its cache is nearly empty.
  await Promise.all(Array.from({ length: 2_000 }, () => requestToken(clientIdAt(0))));
  const before = residentMemory(replica.pid).current;
  const requests = Math.min(size, MAX_REQUESTS);
  await requestAll(requests);
  const after = residentMemory(replica.pid);
  await replica.stop();
  return { before, after: after.current, peak: after.peak };
}

/** The duration of a lookup of a client that Redis has, and of a cached one. */
export async function measureLookups({ url, size, clientIdAt }: ReplicaOptions): Promise<LookupTimes> {
  const bounds = { entries: 200_000, bytes: 2 ** 30 };
  const { registry, modes } = await openRedisRegistry(url, { prefix: 'countersign:', cache: { bounds } });
  await eventually(
    () => modes.at(-1) === 'tracking',
    () => `${modes}`,
    5_000,
  );
  const step = Math.max(1, Math.floor(size / 20_000));
  const clientIds = Array.from({ length: Math.min(size, 20_000) }, (_, index) => clientIdAt(index * step));
  const measurePass = async () => {
    const times: number[] = [];
    for (const clientId of clientIds) {
      const started = performance.now();
      await registry.find(clientId);
      times.push((performance.now() - started) * 1000);
    }
    return quantile(times, 0.5);
  };
  const figures = { miss: await measurePass(), hit: await measurePass() };
  await registry.close();
  return figures;
}

function startReplica({ tree, url, directory, size }: ReplicaOptions) {
  const key = join(directory, 'replica-key.pem');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return startProgram(tree.node, [tree.program, 'serve'], {
    env: {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_TERMINATOR: 'nginx',
      COUNTERSIGN_LISTEN: `unix:${join(directory, `replica-${size}.sock`)}`,
      COUNTERSIGN_OPERATIONS_LISTEN: 'off',
      COUNTERSIGN_SIGNING_KEY_FILE: key,
      COUNTERSIGN_REDIS_URL: url,
    },
  });
}

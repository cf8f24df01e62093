import { addRegistryMetrics } from '../clients/registry/registry-telemetry.ts';
import type { Config } from '../config.ts';
import type { Logs } from '../observability/logs.ts';
import { createMetrics, type Metrics, type Sample } from '../observability/metrics.ts';
import { addRevocationMetrics } from '../tokens/revocation/revocation-telemetry.ts';
import { revision, version } from '../version.ts';
import type { Dependencies } from './dependencies.ts';
import { addFileMetrics } from './file-metrics.ts';
import { addKeyringMetrics } from './keyring-metrics.ts';
import { addPkiMetrics } from './pki-metrics.ts';

interface MeasuredService {
  readonly config: Pick<Config, 'settingsDigest'>;
  readonly dependencies: Dependencies;
  readonly logs: Pick<Logs, 'lostLines'>;
  /** Why no client can be served at the moment; undefined if some can. */
  readonly notReadyReason: () => string | undefined;
}

/** The metrics of everything that is opened before the endpoints, which add their own. */
export function createServiceMetrics({ config, dependencies, logs, notReadyReason }: MeasuredService): Metrics {
  const { watched, currentTrust, crls, registry, keyring, revocations } = dependencies;
  const metrics = createMetrics();
  metrics.addGauge({
    name: 'build_info',
    help: 'Versions of Countersign and Node.js, and the commit of the source: always 1',
    labels: ['version', 'revision', 'node_version'],
    read: () => [{ labels: { version, revision, node_version: process.versions.node }, value: 1 }],
  });
  metrics.addGauge({
    name: 'config_info',
    help: 'Hash of a part of the configuration that is the same on every replica: always 1',
    labels: ['part', 'hash'],
    read: () => configSamples(config, dependencies),
  });
  metrics.addGauge({
    name: 'ready',
    help: 'Whether /readyz responds with 200',
    labels: [],
    read: () => [{ labels: {}, value: Number(notReadyReason() === undefined) }],
  });
  metrics.addCounter({
    name: 'log_lines_lost_total',
    help: 'Lines that could not be written to the log',
    labels: [],
    read: () => [{ labels: {}, value: logs.lostLines }],
  });
  addFileMetrics(metrics, watched);
  addPkiMetrics(metrics, currentTrust, crls);
  addKeyringMetrics(metrics, keyring);
  addRegistryMetrics(metrics, registry);
  if (revocations) addRevocationMetrics(metrics, () => revocations.state);
  metrics.addProcessMetrics();
  return metrics;
}

/** As many characters as distinguish configurations. */
const DIGEST_CHARACTERS = 16;

function configSamples({ settingsDigest }: MeasuredService['config'], { watched }: Dependencies): Sample[] {
  const sampleOf = (part: string, digest: string) => ({
    labels: { part, hash: digest.slice(0, DIGEST_CHARACTERS) },
    value: 1,
  });
  const ofFiles = watched.all.flatMap(({ name, digest }) => (digest === undefined ? [] : [sampleOf(name, digest)]));
  return [sampleOf('settings', settingsDigest), ...ofFiles];
}

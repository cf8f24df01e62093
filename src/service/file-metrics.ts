import type { Metrics, Sample } from '../observability/metrics.ts';
import type { WatchedFile } from '../watch/watched-file.ts';
import type { WatchedFiles } from './watched-files.ts';

/** Adds the state of each watched file. The label is the name of what the files contain, and not their path. */
export function addFileMetrics(metrics: Metrics, { all }: Pick<WatchedFiles, 'all'>): void {
  const eachFile = (value: (file: WatchedFile) => number | undefined) => (): Sample[] =>
    all.flatMap((file) => {
      const known = value(file);
      return known === undefined ? [] : [{ labels: { file: file.name }, value: known }];
    });
  metrics.addGauge({
    name: 'watched_file_loaded_timestamp_seconds',
    help: 'When the content in use was loaded, in seconds since the epoch',
    labels: ['file'],
    read: eachFile(({ loadedAt }) => loadedAt / 1_000),
  });
  metrics.addGauge({
    name: 'watched_file_in_use',
    help: 'Whether the content of the files is in use: 0 if their reload failed, and the previous content is',
    labels: ['file'],
    read: eachFile(({ problem }) => Number(problem === undefined)),
  });
  metrics.addCounter({
    name: 'watched_file_reload_failures_total',
    help: 'Failed reloads. One that is repeated and fails for the same reason counts once',
    labels: ['file'],
    read: eachFile(({ failures }) => failures),
  });
  metrics.addGauge({
    name: 'watched_file_not_after_timestamp_seconds',
    help: 'When the first certificate in use expires, in seconds since the epoch',
    labels: ['file'],
    read: eachFile(({ notAfter }) => notAfter && notAfter / 1_000),
  });
}

import type { Log } from '../../observability/log.ts';
import type { Metrics, Sample } from '../../observability/metrics.ts';
import { counted } from '../../text.ts';
import type { RevocationEvents, RevocationState } from './redis-revocations.ts';

/** Adds the metrics of the revocations that this replica knows. */
export function addRevocationMetrics(metrics: Metrics, read: () => RevocationState): void {
  const value = (select: (state: RevocationState) => number) => (): Sample[] => [{ labels: {}, value: select(read()) }];
  metrics.addGauge({
    name: 'token_revocations',
    help: 'Revocations of tokens in memory: single tokens and cut-offs',
    labels: [],
    read: value(({ entries }) => entries),
  });
  metrics.addGauge({
    name: 'token_revocations_bytes',
    help: 'Memory of the revocations of tokens',
    labels: [],
    read: value(({ bytes }) => bytes),
  });
  metrics.addGauge({
    name: 'token_revocations_age_seconds',
    help: 'Time since this replica knew every revocation in Redis',
    labels: [],
    read: value(({ ageSeconds }) => ageSeconds),
  });
  metrics.addCounter({
    name: 'token_revocation_lookups_total',
    help: 'Verifications that asked Redis whether a token is revoked: answered (found), decided in memory because Redis did not respond (stale), or not decided (failed)',
    labels: ['result'],
    read: () => Object.entries(read().lookups).map(([result, count]) => ({ labels: { result }, value: count })),
  });
}

/** Logs the events of revocations in Redis. */
export function revocationEvents(log: Log): RevocationEvents {
  return {
    onFeedProblem: (problem) => {
      if (problem === undefined)
        log.info({ event: 'revocation_feed_restored' }, 'revocations are read from Redis again');
      else log.error({ event: 'revocation_feed_failed', reason: problem }, `${FEED_FAILED}: ${problem}`);
    },
    onLookupProblem: (problem) => {
      if (problem === undefined)
        log.info({ event: 'revocation_lookup_restored' }, 'Redis permits lookups of revoked tokens');
      else log.error({ event: 'revocation_lookup_failed', reason: problem }, `${LOOKUP_FAILED}: ${problem}`);
    },
    onLoss: () => log.error({ event: 'revocations_lost' }, LOST),
    onRestored: (count) =>
      log.warn({ event: 'revocations_restored', count }, `${counted(count, 'revocation')} of this server ${RESTORED}`),
    onInvalidEntry: (id) =>
      log.warn({ event: 'revocation_invalid', id }, `entry ${id} of the stream is not a revocation`),
    onCapacity: (isFull) => {
      if (isFull) log.warn({ event: 'revocations_exceed_memory' }, EXCEED_MEMORY);
      else log.info({ event: 'revocations_fit_memory' }, 'all revocations are in memory again');
    },
  };
}

const FEED_FAILED = 'Redis refuses to read the revocations, so each token is looked up';
const LOOKUP_FAILED =
  'Redis refuses to look up single revoked tokens: while revocations are being read, tokens get 503';
const LOST =
  'Redis has lost revocations: servers that are running still reject the tokens that they know, servers that start now do not';
const RESTORED = 'written to Redis again, which had lost them: no other server may have known them';
const EXCEED_MEMORY = 'there are more revocations than fit into memory, so each token is looked up in Redis';

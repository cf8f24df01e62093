import type { MetricDefinition, Sample } from '../operations/metrics.ts';
import type { AuthorityList } from './revocation-lists.ts';

const labels = ['authority', 'public_key_thumbprint'] as const;

/**
 * How old the CRLs are, and until when they count.
 *
 * @param lists those of this moment
 * @param now milliseconds since the epoch
 */
export function revocationGauges(lists: () => Iterable<AuthorityList>, now: () => number): MetricDefinition[] {
  const each = (value: (list: AuthorityList['list']) => number) => (): Sample[] =>
    [...lists()].map(({ list, authority, publicKeyThumbprint }) => ({
      labels: { authority, public_key_thumbprint: publicKeyThumbprint },
      value: value(list),
    }));
  return [
    {
      name: 'crl_age_seconds',
      help: "Time since the CRL's thisUpdate",
      labels,
      read: each(({ thisUpdate }) => (now() - thisUpdate) / 1000),
    },
    {
      name: 'crl_next_update_timestamp_seconds',
      help: 'When the CRL stops to count, seconds since the epoch',
      labels,
      read: each(({ nextUpdate }) => nextUpdate / 1000),
    },
    {
      name: 'crl_revoked_certificates',
      help: 'How many serial numbers are on the CRL',
      labels,
      read: each(({ revoked }) => revoked.size),
    },
    {
      name: 'crl_memory_bytes',
      help: 'How much memory the serial numbers of the CRL take',
      labels,
      read: each(({ revoked }) => revoked.memory),
    },
  ];
}

import type { AuditEntry } from '../observability/audit-entry.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { RequestMetrics, RequestRecorder } from '../observability/request-metrics.ts';

/** Of approved checks, those that repeat an earlier one have an outcome of their own. */
export type CheckOutcome = 'minted' | 'reused' | 'verified' | 'reverified' | 'rejected' | 'failed';

/** Counts one decided check. */
export type CheckCounter = (
  entry: Pick<AuditEntry, 'route' | 'resource' | 'code'>,
  outcome: CheckOutcome,
  durationMilliseconds: number,
) => void;

/** Resources come and go while the server runs. Checks of further ones are counted without the name. */
const MAX_RESOURCES = 1_000;

type Checks = Partial<Record<CheckOutcome, number>>;

/** Adds the metrics of checks: those of every request, by route, and how many there are for each known resource. */
export function addCheckMetrics(metrics: Metrics, requests: RequestMetrics): CheckCounter {
  const recorderOf = routeRecorders(requests);
  const byResource = new Map<string, Checks>();
  metrics.addCounter({
    name: 'edge_checks_total',
    help: 'Checks of the edge by resource and outcome (minted, reused, verified, reverified, rejected, failed)',
    labels: ['resource', 'outcome'],
    read: () =>
      [...byResource].flatMap(([resource, checks]) =>
        Object.entries(checks).map(([outcome, value]) => ({ labels: { resource, outcome }, value })),
      ),
  });
  const checksOf = (resource: string): Checks => {
    const known = byResource.get(resource);
    if (known) return known;
    if (byResource.size >= MAX_RESOURCES && resource !== '') return checksOf('');
    const added: Checks = {};
    byResource.set(resource, added);
    return added;
  };
  return ({ route, resource = '', code }, outcome, durationMilliseconds) => {
    recorderOf(route)(outcome, code ?? '', durationMilliseconds);
    const checks = checksOf(resource);
    checks[outcome] = (checks[outcome] ?? 0) + 1;
  };
}

/** The recorder of each route, and of checks that name none that exists. */
function routeRecorders(requests: RequestMetrics): (route: AuditEntry['route']) => RequestRecorder {
  const minted = ['minted', 'reused'];
  const verified = ['verified', 'reverified'];
  const recorders = new Map<AuditEntry['route'], RequestRecorder>([
    ['mint', requests.forEndpoint('edge_mint', minted)],
    ['verify', requests.forEndpoint('edge_verify', verified)],
    ['either', requests.forEndpoint('edge_either', [...minted, ...verified])],
    ['rejected', requests.forEndpoint('edge_rejected', [])],
  ]);
  const unknown = requests.forEndpoint('edge_unknown', []);
  return (route) => recorders.get(route) ?? unknown;
}

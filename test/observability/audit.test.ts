import { expect, test } from 'vitest';
import { createAuditLog } from '../../src/observability/audit.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { addRequestMetrics } from '../../src/observability/request-metrics.ts';

function startAudit(isWritten = true) {
  const lines: object[] = [];
  const write = (fields: object) => void lines.push(fields);
  const metrics = createMetrics();
  const log = { info: write, warn: write, error: write };
  const written = async () => isWritten;
  const audit = createAuditLog(log, addRequestMetrics(metrics), written).forEndpoint({
    name: 'token',
    granted: { event: 'token_issued', message: 'token issued', outcome: 'issued' },
    rejected: { event: 'token_rejected' },
  });
  return { lines, audit, metrics };
}

test('the audit log truncates a reason that is too long', () => {
  const { lines, audit } = startAudit();
  const reason = 'x'.repeat(100_000);
  audit.rejected({ ...audit.begin(), peer: 'unix', reason }, 1.23456);
  audit.failed({ ...audit.begin(), peer: 'unix', reason }, 1.23456);
  const short = {
    event: 'token_rejected',
    peer: 'unix',
    reason: expect.stringMatching(/^x{4000}…$/),
    duration_ms: 1.23,
  };
  expect(lines).toEqual([short, short]);
});

test('a granted request about an inactive token has an event, a message and an outcome of its own', async () => {
  const lines: object[] = [];
  const messages: string[] = [];
  const write = (fields: object, message: string) => {
    lines.push({ ...fields });
    messages.push(message);
  };
  const metrics = createMetrics();
  const audit = createAuditLog({ info: write, warn: write, error: write }, addRequestMetrics(metrics), () =>
    Promise.resolve(true),
  ).forEndpoint({
    name: 'revocation',
    granted: { event: 'token_revoked', message: 'token revoked', outcome: 'revoked' },
    inactive: { event: 'revocation_ignored', message: 'no token revoked', outcome: 'ignored' },
    rejected: { event: 'revocation_rejected' },
  });
  await Promise.all([audit.granted({ ...audit.begin(), active: false }, 1), audit.granted(audit.begin(), 1)]);
  expect(lines).toMatchObject([{ event: 'revocation_ignored', active: false }, { event: 'token_revoked' }]);
  expect(messages).toEqual(['no token revoked', 'token revoked']);
  const text = await metrics.render();
  for (const outcome of ['ignored', 'revoked']) {
    const labels = `endpoint="revocation",outcome="${outcome}"`;
    expect(text).toContain(`countersign_requests_total{${labels},code=""} 1`);
    expect(text).toContain(`countersign_request_duration_seconds_count{${labels}} 1`);
  }
});

test('each audited token request is counted by outcome and code, with its duration in seconds', async () => {
  const { audit, metrics } = startAudit();
  const begin = () => ({ ...audit.begin(), peer: 'unix' });
  await audit.granted(begin(), 2);
  await audit.granted(begin(), 40);
  await audit.rejected({ ...begin(), code: 'client_unknown' }, 3);
  await audit.failed({ ...begin(), code: 'internal_error' }, 3_000);
  const lines = (await metrics.render()).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'countersign_requests_total{endpoint="token",outcome="issued",code=""} 2',
      'countersign_requests_total{endpoint="token",outcome="rejected",code="client_unknown"} 1',
      'countersign_requests_total{endpoint="token",outcome="failed",code="internal_error"} 1',
      'countersign_request_duration_seconds_bucket{endpoint="token",outcome="issued",le="0.001"} 0',
      'countersign_request_duration_seconds_bucket{endpoint="token",outcome="issued",le="0.0025"} 1',
      'countersign_request_duration_seconds_bucket{endpoint="token",outcome="issued",le="0.05"} 2',
      'countersign_request_duration_seconds_bucket{endpoint="token",outcome="issued",le="+Inf"} 2',
      'countersign_request_duration_seconds_bucket{endpoint="token",outcome="failed",le="2.5"} 0',
      'countersign_request_duration_seconds_bucket{endpoint="token",outcome="failed",le="+Inf"} 1',
      'countersign_request_duration_seconds_sum{endpoint="token",outcome="issued"} 0.042',
      'countersign_request_duration_seconds_count{endpoint="token",outcome="failed"} 1',
    ]),
  );
});

test('a decision that cannot be written is counted as rejected, whatever it was', async () => {
  const { audit, metrics } = startAudit(false);
  expect(await audit.granted(audit.begin(), 2)).toBe(false);
  expect(await audit.rejected({ ...audit.begin(), code: 'client_unknown' }, 3)).toBe(false);
  const lines = (await metrics.render()).split('\n');
  expect(lines.filter((line) => /^countersign_requests_total.*endpoint="token"/.test(line))).toEqual([
    'countersign_requests_total{endpoint="token",outcome="failed",code="internal_error"} 0',
    'countersign_requests_total{endpoint="token",outcome="issued",code=""} 0',
    'countersign_requests_total{endpoint="token",outcome="rejected",code="audit_unwritable"} 2',
  ]);
});

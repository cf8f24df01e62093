import { expect, test } from 'vitest';
import { createAuditLog } from '../../src/observability/audit.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { addRequestMetrics } from '../../src/observability/request-metrics.ts';

function startAudit() {
  const lines: object[] = [];
  const write = (fields: object) => void lines.push(fields);
  const metrics = createMetrics();
  const audit = createAuditLog({ info: write, warn: write, error: write }, addRequestMetrics(metrics), () =>
    Promise.resolve(true),
  ).forEndpoint({
    name: 'token',
    granted: { event: 'token_issued', message: 'token issued', outcome: 'issued' },
    rejected: { event: 'token_rejected' },
  });
  return { lines, audit, metrics };
}

test('the audit log truncates a reason that is too long', () => {
  const { lines, audit } = startAudit();
  const reason = 'x'.repeat(100_000);
  audit.rejected({ ...audit.begin(), peer: 'unix', reason }, 1);
  audit.failed({ ...audit.begin(), peer: 'unix', reason }, 1);
  const short = { event: 'token_rejected', peer: 'unix', reason: expect.stringMatching(/^x{4000}…$/) };
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
  audit.granted({ ...audit.begin(), active: false }, 1);
  audit.granted(audit.begin(), 1);
  expect(lines).toEqual([{ event: 'revocation_ignored', active: false }, { event: 'token_revoked' }]);
  expect(messages).toEqual(['no token revoked', 'token revoked']);
  const text = await metrics.render();
  for (const outcome of ['ignored', 'revoked']) {
    expect(text).toContain(`countersign_revocation_requests_total{outcome="${outcome}",error=""} 1`);
    expect(text).toContain(`countersign_revocation_request_duration_seconds_count{outcome="${outcome}"} 1`);
  }
});

test('each audited token request is counted by outcome and error, with its duration in seconds', async () => {
  const { audit, metrics } = startAudit();
  audit.granted({ ...audit.begin(), peer: 'unix' }, 2);
  audit.granted({ ...audit.begin(), peer: 'unix' }, 40);
  audit.rejected({ ...audit.begin(), peer: 'unix', error: 'invalid_client' }, 3);
  audit.failed({ ...audit.begin(), peer: 'unix', error: 'server_error' }, 3_000);
  const lines = (await metrics.render()).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'countersign_token_requests_total{outcome="issued",error=""} 2',
      'countersign_token_requests_total{outcome="rejected",error="invalid_client"} 1',
      'countersign_token_requests_total{outcome="rejected",error="invalid_scope"} 0',
      'countersign_token_requests_total{outcome="failed",error="server_error"} 1',
      'countersign_token_request_duration_seconds_bucket{le="0.0025",outcome="issued"} 1',
      'countersign_token_request_duration_seconds_bucket{le="0.05",outcome="issued"} 2',
      'countersign_token_request_duration_seconds_sum{outcome="issued"} 0.042',
      'countersign_token_request_duration_seconds_count{outcome="failed"} 1',
    ]),
  );
});

import { expect, test } from 'vitest';
import { audited } from '../../src/endpoints/respond.ts';
import { HeaderFields } from '../../src/http/header-fields.ts';
import type { HttpRequest } from '../../src/http/received-request.ts';
import { errorStatus } from '../../src/oauth/oauth-error.ts';
import { createAuditLog } from '../../src/observability/audit.ts';
import { createLog, restoredLine } from '../../src/observability/log.ts';
import { LogOutput } from '../../src/observability/log-output.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { addRequestMetrics } from '../../src/observability/request-metrics.ts';
import type { TracedOutcome } from '../../src/observability/tracing/trace.ts';

// Safe: the endpoint of this test reads nothing else of a request.
const request = { fields: new HeaderFields([]) } as HttpRequest;

test('no request is granted without its audit event, even if the log can be written again in the same turn', async () => {
  const requests = 1_000;
  let written = '';
  let writes = 0;
  const write = (bytes: Uint8Array) => {
    writes += 1;
    if (writes === 1) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    written += Buffer.from(bytes);
    return bytes.length;
  };
  const output = new LogOutput({ write, restoredLine, onOutage: () => {} });
  const log = createLog((line) => output.append(line));
  const audit = createAuditLog(log, addRequestMetrics(createMetrics()), () => output.written()).forEndpoint({
    name: 'token',
    granted: { event: 'token_issued', message: 'token issued', outcome: 'issued' },
    rejected: { event: 'token_rejected' },
  });
  // All of them wait for the same record, and are decided one after the other.
  const loaded = Promise.withResolvers<void>();
  let decided = 0;
  const endpoint = audited(audit, errorStatus, async (_, entry) => {
    await loaded.promise;
    decided += 1;
    entry.jti = `${decided}`;
    return Response.json({ jti: entry.jti });
  });
  const responses = Promise.all(Array.from({ length: requests }, () => endpoint(request)));
  loaded.resolve();
  const granted = (await responses).filter(({ status }) => status === 200);
  expect([granted.length > 0, granted.length < requests]).toEqual([true, true]);
  for (const response of granted) expect(written).toContain(`"jti":"${JSON.parse(await response.text()).jti}"`);
});

test('the trace of a decision that cannot be written states what the client received', async () => {
  const outcomes: TracedOutcome[] = [];
  const tracer = {
    start: () => ({ traceId: undefined, begin: () => {}, end: (of: TracedOutcome) => outcomes.push(of) }),
  };
  const log = createLog(() => {});
  const written = async () => false;
  const audit = createAuditLog(log, addRequestMetrics(createMetrics()), written, { tracer }).forEndpoint({
    name: 'token',
    granted: { event: 'token_issued', message: 'token issued', outcome: 'issued' },
    rejected: { event: 'token_rejected' },
  });
  const endpoint = audited(audit, errorStatus, async (_, entry) => {
    entry.client_id = 'a';
    return Response.json({});
  });
  const { status } = await endpoint(request);
  expect([status, outcomes]).toEqual([503, [{ status: 503, code: 'audit_unwritable', clientId: 'a' }]]);
});

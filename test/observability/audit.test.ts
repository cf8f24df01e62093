import { expect, test } from 'vitest';
import { createAudit } from '../../src/observability/audit.ts';

test('no reason fills the log, however long somebody made it', () => {
  const lines: object[] = [];
  const write = (fields: object) => void lines.push(fields);
  const audit = createAudit({ info: write, warn: write, error: write });
  const reason = 'x'.repeat(100_000);
  audit.rejected('token_rejected', { peer: 'unix', reason });
  audit.failed('token_rejected', { peer: 'unix', reason });
  const short = { event: 'token_rejected', peer: 'unix', reason: expect.stringMatching(/^x{4000}…$/) };
  expect(lines).toEqual([short, short]);
});

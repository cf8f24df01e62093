import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as otherWork } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { readClientsFiles } from '../../../src/clients/files/read-clients-files.ts';
import { durationOf, expectWithin } from '../../support/expect-within.ts';
import { defaultPolicy } from '../../support/policy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
const read = (content: string, signal?: AbortSignal, name = 'clients.yaml') => {
  const file = join(directory, name);
  writeFileSync(file, content);
  return readClientsFiles([file], defaultPolicy, Date.now(), signal);
};
const record = (clientId: string, more = '') =>
  `- {client_id: ${clientId}, token_endpoint_auth_method: tls_client_auth, tls_client_auth_san_dns: a${more}}\n`;
const records = (length: number) => Array.from({ length }, (_, number) => record(`client-${number}`)).join('');

describe('readClientsFiles of a long YAML file', () => {
  test('does not block the event loop', async () => {
    let isRead = false;
    const reading = read(records(10_000)).finally(() => {
      isRead = true;
    });
    let [longest, total] = [0, 0];
    while (!isRead) {
      const before = process.threadCpuUsage();
      await otherWork();
      const { user, system } = process.threadCpuUsage(before);
      [longest, total] = [Math.max(longest, user + system), total + user + system];
    }
    expect((await reading).clients).toHaveLength(10_000);
    // Otherwise one turn of this thread does all the work.
    expect(longest).toBeLessThan(total / 3);
  });

  test('aborts a file that would take hours', async () => {
    const names = Array.from({ length: 20_000 }, (_, number) => number);
    const aliases = `- ${names.map((name) => `&k${name} k${name}`).join('\n- ')}\n- ${names.map((name) => `*k${name}`).join('\n- ')}`;
    await expectWithin(5_000, () =>
      durationOf(() => expect(read(aliases, AbortSignal.timeout(500))).rejects.toMatchObject({ name: 'TimeoutError' })),
    );
  });

  test('returns the same errors as for a short one', async () => {
    const odd =
      record('odd', ', claims: {__proto__: 1}') + record('deep', `, claims: ${'{a: '.repeat(70)}${'}'.repeat(70)}`);
    const many = records(2_000);
    const [short, long] = [await read(odd), await read(odd + many)];
    expect(short.errors).toHaveLength(2);
    expect(long.errors).toEqual(short.errors);
    const broken = (rest: string) => read(`${rest}- {a: 1, "a": 2}`);
    expect((await broken(many)).errors).toEqual([
      { file: expect.anything(), line: 2_001, column: 10, message: expect.stringMatching(/unique|duplicate/) },
    ]);
  });
});

test('readClientsFiles rejects a file that is nested deeper than the stack', async () => {
  const depth = 1_000_000;
  const { errors } = await read(`[${'['.repeat(depth)}${']'.repeat(depth)}]`, undefined, 'clients.json');
  expect(errors).toEqual([{ file: expect.anything(), message: expect.stringContaining('nested too deeply') }]);
  const yaml = Array.from({ length: 5_000 }, (_, index) => `${' '.repeat(index)}a:`).join('\n');
  const [line, column] = [expect.any(Number), expect.any(Number)];
  const inYaml = { file: expect.anything(), line, column, message: expect.stringMatching(/^nested too deeply/) };
  expect((await read(yaml)).errors).toEqual([inYaml]);
});

test('readClientsFiles abbreviates long names in errors', async () => {
  const { errors } = await read(JSON.stringify([{ client_id: 'x'.repeat(1_000_000), ['y'.repeat(1_000_000)]: 1 }]));
  expect(errors.length).toBeGreaterThan(1);
  for (const error of errors) expect(JSON.stringify(error).length).toBeLessThan(5_000);
});

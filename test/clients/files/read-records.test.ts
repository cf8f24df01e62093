import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readClientsFiles } from '../../../src/clients/files/read-clients-files.ts';
import { defaultPolicy } from '../../support/policy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test.each([
  ['clients.jsonl', 5_000],
  ['clients.json', 1],
])('readClientsFiles reads %s from a pipe that is written slowly', async (name, count) => {
  const folder = temporaryDirectory();
  const [file, pipe] = [join(folder, 'written'), join(folder, name)];
  const record = (number: number) =>
    JSON.stringify({
      client_id: `c${number}`,
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: `c${number}`,
    });
  const lines = Array.from({ length: count }, (_, number) => record(number));
  writeFileSync(file, name.endsWith('.json') ? `[${lines.join()}]` : lines.join('\n'));
  execFileSync('mkfifo', [pipe]);
  const half = Math.floor(count / 2) || 30;
  const write = `head -c ${half} '${file}' > /dev/fd/3; sleep 0.2; tail -c +${half + 1} '${file}' >&3`;
  spawn('sh', ['-c', `exec 3> '${pipe}'; ${write}`]);
  const { clients, errors } = await readClientsFiles([pipe], defaultPolicy, Date.now());
  expect([clients.length, errors]).toEqual([count, []]);
});

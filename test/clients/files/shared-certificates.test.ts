import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { watchClientsFile } from '../../../src/clients/files/watch-clients-file.ts';
import { OperatorError } from '../../../src/errors/operator-error.ts';
import { selfSigned } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { defaultPolicy } from '../../support/policy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const { thumbprint } = selfSigned();
const client = (client_id: string, certificate = thumbprint) => ({
  client_id,
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ thumbprint: certificate }],
});
const shared = [client('a'), client('b'), client('c')];
const distinct = [client('a'), client('b', selfSigned().thumbprint)];

function createFile(records: readonly object[], uniqueCertificates: boolean) {
  const file = join(temporaryDirectory(), 'clients.json');
  const write = (content: readonly object[]) => {
    writeFileSync(`${file}.next`, JSON.stringify(content));
    renameSync(`${file}.next`, file);
  };
  write(records);
  const lines: string[] = [];
  const append = (fields: object, message: string): void => void lines.push(JSON.stringify({ ...fields, message }));
  const policy = { ...defaultPolicy, uniqueCertificates };
  const requirements = { policy, terminator: { verification: { by: 'countersign', fields: [] } } } as const;
  const log = { info: append, warn: append, error: append };
  const open = async () => {
    const opened = await watchClientsFile({ file, setting: undefined }, requirements, log, {
      intervalMilliseconds: 20,
    });
    onTestFinished(opened.stop);
    return () => [...opened.current().clients.keys()];
  };
  return { lines, open, write };
}

test('a clients file with a shared certificate is served, and reported once for all of its clients', async () => {
  const { lines, open } = createFile(shared, false);
  expect((await open())()).toEqual(['a', 'b', 'c']);
  expect(lines).toEqual([expect.stringMatching(`clients_shared.*thumbprint ${thumbprint} is shared by 3 clients: a `)]);
});

test('a clients file with a shared certificate is rejected if certificates must be unique', async () => {
  const error = await createFile(shared, true)
    .open()
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OperatorError);
  expect(String(error)).toMatch(/is shared by 3 clients: a \(.*COUNTERSIGN_UNIQUE_CERTIFICATES is true/);
});

test('a certificate that becomes shared keeps the previous clients if certificates must be unique', async () => {
  const { lines, open, write } = createFile(distinct, true);
  const ids = await open();
  write(shared);
  await eventually(
    () => lines.some((line) => line.includes('clients_reload_failed') && line.includes('is shared by 3 clients')),
    () => lines.join('\n'),
  );
  expect(ids()).toEqual(['a', 'b']);
});

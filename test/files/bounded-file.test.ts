import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readBoundedFile } from '../../src/files/bounded-file.ts';
import { readCrlFile } from '../../src/pki/crl/crl-files.ts';
import { loadTrustStore } from '../../src/pki/path/trust-store.ts';
import { readCertificateFile } from '../../src/settings/certificate-file.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MEBIBYTE = 1024 * 1024;

test('a file is read that is as large as allowed, and rejected if it is larger', () => {
  const path = join(temporaryDirectory(), 'file');
  const content = Buffer.alloc(2 * MEBIBYTE, 'content');
  writeFileSync(path, content);
  expect(readBoundedFile(path, 2).equals(content)).toBe(true);
  expect(() => readBoundedFile(path, 1)).toThrow(/^is larger than 1 MiB$/);
});

test.each([
  ['a client CA', loadTrustStore],
  ['a certificate', (path: string) => readCertificateFile(path, () => {})],
  ['a CRL', readCrlFile],
])('the file of %s is rejected if it is a pipe, endless or a folder', (_, read) => {
  const folder = temporaryDirectory();
  const [pipe, inner] = [join(folder, 'pipe'), join(folder, 'folder.crl')];
  execFileSync('mkfifo', [pipe]);
  mkdirSync(inner);
  // The CA certificates may be in a folder, which then is empty.
  for (const path of [pipe, inner, '/dev/zero']) expect(() => read(path)).toThrow(/regular file|folder|EISDIR/);
  if (existsSync('/proc/self/pagemap')) expect(() => read('/proc/self/pagemap')).toThrow(/is larger than \d+ MiB/);
});

test.skipIf(!existsSync('/dev/fd'))('a file is read from what the shell substitutes for it', () => {
  const module = join(repositoryRoot, 'src/files/bounded-file.ts');
  const script = `import { readBoundedFile } from '${module}'; console.log(String(readBoundedFile(process.argv[1], 1)))`;
  const command = `exec "$1" --input-type=module -e "$2" <(sleep 0.1; echo certificates)`;
  const output = execFileSync('bash', ['-c', command, '-', process.execPath, script], { encoding: 'utf8' });
  expect(output).toBe('certificates\n\n');
});

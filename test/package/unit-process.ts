import { chmodSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type RunningProgram, startProgram } from '../support/child-process.ts';
import { shippedFile } from '../support/shipped-text.ts';
import type { Replica, UnitHost } from './unit-host.ts';

/**
 * Starts a replica as systemd would: with the command line, the environment and the credentials of
 * `countersign@.service`. The sandbox and the user are those of the test.
 *
 * @param command in place of `/usr/local/bin/countersign`
 */
export function startUnitProcess({ root, replace }: UnitHost, command: string, replica: Replica): RunningProgram {
  const name = `countersign@${replica}.service`;
  const credentials = join(root, 'credentials', name);
  const text = shippedFile('deploy/systemd/countersign@.service', [
    ...replace,
    ['/usr/local/bin/countersign', command],
    ['/etc/countersign/', `${root}/etc/countersign/`],
    ['unix:/run/', `unix:${root}/run/`],
  ]);
  const values = serviceValues(text, { i: String(replica), d: credentials });
  for (const folder of [...(values.get('RuntimeDirectory') ?? []).map((each) => join(root, 'run', each)), credentials])
    mkdirSync(folder, { recursive: true, mode: 0o750 });
  for (const credential of values.get('LoadCredential') ?? []) load(credential, credentials);
  const files = (values.get('EnvironmentFile') ?? []).map((file) => readFileSync(file, 'utf8'));
  const lines = files.flatMap((file) => linesOf(file.replaceAll('=/etc/', `=${root}/etc/`)));
  const env = Object.fromEntries(assignments([...(values.get('Environment') ?? []), ...lines]));
  const [commandLine = ''] = values.get('ExecStart') ?? [];
  const [program = '', ...args] = commandLine.split(' ');
  return startProgram(program, args, { env });
}

/** The values of the section `Service` by name, with specifiers expanded. */
function serviceValues(text: string, specifiers: Readonly<Record<string, string>>): Map<string, string[]> {
  const [, section = ''] = /^\[Service\]$([\s\S]*?)^\[/m.exec(text) ?? [];
  const values = new Map<string, string[]>();
  for (const [name, value] of assignments(linesOf(section))) {
    const expanded = value.replaceAll(/%(.)/g, (_, letter: string) => specifiers[letter] ?? unknownSpecifier(letter));
    values.set(name, [...(values.get(name) ?? []), expanded]);
  }
  return values;
}

function unknownSpecifier(letter: string): never {
  throw new Error(`the unit contains %${letter}, which this test does not expand`);
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => /^[A-Z]/i.test(line));
}

function assignments(lines: readonly string[]): [string, string][] {
  return lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
}

/** Copies a credential, `ID:PATH`. */
function load(credential: string, folder: string): void {
  const [id = '', path = ''] = credential.split(':');
  const copy = join(folder, basename(id));
  copyFileSync(path, copy);
  chmodSync(copy, 0o400);
}

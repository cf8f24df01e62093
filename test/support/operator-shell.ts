import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect } from 'vitest';
import { countersignCommand, type FinishedCommand, sharedCompileCache } from './countersign.ts';
import { runProgram } from './run-program.ts';

export interface OperatorShell {
  /** Runs a script in the folder. A non-zero exit code is a result. */
  readonly run: (script: string, env?: Readonly<Record<string, string>>) => Promise<FinishedCommand>;
  /** Runs a script each of whose commands must succeed. Resolves to its standard output. */
  readonly succeed: (script: string, env?: Readonly<Record<string, string>>) => Promise<string>;
  /** Adds a command to the PATH. */
  readonly install: (name: string, script: string) => void;
}

/** A shell as an operator uses it, with this folder as its working directory, and `countersign` on its PATH. */
export function operatorShell(folder: string, environment: Readonly<Record<string, string>> = {}): OperatorShell {
  const programs = join(folder, 'bin');
  mkdirSync(programs, { recursive: true });
  const install = (name: string, script: string) =>
    writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  install('countersign', `exec ${countersignCommand([]).join(' ')} "$@"`);
  install('npx', 'exec "$@"');
  const run: OperatorShell['run'] = async (script, env = {}) => {
    const PATH = [programs, process.env.PATH].join(delimiter);
    const options = { cwd: folder, env: { ...sharedCompileCache(), ...environment, ...env, PATH } };
    const finished = await runProgram('sh', ['-ec', script], options);
    return { ...finished, stdout: finished.stdout.toString() };
  };
  const succeed: OperatorShell['succeed'] = async (script, env) => {
    const { code, stdout, stderr } = await run(script, env);
    expect(code, `${script}\n${stdout}${stderr}`).toBe(0);
    return stdout;
  };
  return { run, succeed, install };
}

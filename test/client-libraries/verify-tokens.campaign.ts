import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { expectBindingIsChecked, startTokenIssuer, type TokenIssuer } from '../support/documented-api.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { installedToolchain } from './toolchains.ts';

/** Downloads and builds in the environment of the developer, as the client libraries do. */
const options = { timeout: 3_600_000 };

describeWith(['curl'], 'an API of docs/verify-tokens.md in another language accepts only its own tokens', () => {
  let issuer: TokenIssuer;
  beforeAll(async () => {
    issuer = await startTokenIssuer();
  });
  afterAll(() => issuer.stop());

  const go = installedToolchain('go');
  if (go === undefined) console.warn('skipped: main.go: go is not installed');
  test.skipIf(go === undefined)('main.go', options, async () => {
    await expectBindingIsChecked(issuer, {
      files: ['main.go'],
      prepare: async (folder) => {
        for (const file of ['go.mod', 'go.sum']) {
          copyFileSync(join(repositoryRoot, 'test/client-libraries/go', file), join(folder, file));
        }
        await execute(go ?? '', ['build', '-o', 'api', '.'], folder);
        return [join(folder, 'api')];
      },
    });
  });

  const python = installedToolchain('python');
  if (python === undefined) console.warn('skipped: api.py: python3 is not installed');
  test.skipIf(python === undefined)('api.py', options, async () => {
    await expectBindingIsChecked(issuer, {
      files: ['api.py'],
      forwards: 'in a header',
      prepare: async (folder, port) => {
        await execute(python ?? '', ['-m', 'venv', 'environment'], folder);
        const pip = join(folder, 'environment/bin/pip');
        await execute(pip, ['install', '--quiet', 'Flask==3.1.3', 'PyJWT[crypto]==2.15.1'], folder);
        return [join(folder, 'environment/bin/flask'), '--app', 'api', 'run', '--port', String(port)];
      },
    });
  });
});

async function execute(command: string, args: readonly string[], cwd: string): Promise<void> {
  const inherited = Object.fromEntries(Object.entries(process.env).map(([name, value = '']) => [name, value]));
  const { code, stdout, stderr } = await runProgram(command, args, { cwd, env: inherited, ...options });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
}

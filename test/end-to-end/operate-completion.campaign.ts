import { expect, test } from 'vitest';
import { runCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const scriptFor = async (shell: string) => (await runCountersign(['completion', shell])).stdout;

/** What each shell proposes for the last word of a command line. */
const completions: readonly (readonly [line: readonly string[], expected: readonly string[]])[] = [
  [['cli'], ['clients']],
  [['clients', 'v'], ['validate']],
  [['clients', 'import', 'k'], ['keycloak']],
  [['clients', 'list', '--disabled', '-o', 'w'], ['wide']],
  [['keys', 'create', '--alg', 'ES2'], ['ES256']],
  [['clients', 'remove', '--y'], ['--yes']],
  [['clients', 'remove', 'list', '--y'], ['--yes']],
  [['completion', 'z'], ['zsh']],
  [['clients', 'plan', 'absent-file'], []],
];

test.each(completions)('bash completes %j', async (words, expected) => {
  const set = `COMP_WORDS=(countersign ${words.join(' ')}); COMP_CWORD=${words.length}`;
  const script = `${await scriptFor('bash')}\n${set}\n_countersign; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await runProgram('bash', ['-c', script]);
  expect([stdout.toString().split('\n').filter(Boolean), stderr]).toEqual([expected, '']);
});

describeWith(['fish'], 'fish', () => {
  test.each(completions)('completes %j', async (words, expected) => {
    const script = `${await scriptFor('fish')}\ncomplete -C 'countersign ${words.join(' ')}'`;
    const { stdout, stderr } = await runProgram('fish', ['--no-config', '-c', script], {
      env: { HOME: temporaryDirectory() },
    });
    const proposed = stdout
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t')[0]);
    expect([proposed, stderr]).toEqual([expected, '']);
  });
});

describeWith(['zsh'], 'zsh', () => {
  test('loads the script', async () => {
    const script = `${await scriptFor('zsh')}\nprint -r -- $_comps[countersign]`;
    const { stdout, stderr } = await runProgram('zsh', ['-f', '-c', script], { env: { HOME: temporaryDirectory() } });
    expect([stdout.toString(), stderr]).toEqual(['_bash_complete -o default -F _countersign\n', '']);
  });
});

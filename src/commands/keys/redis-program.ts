import { type Command, Option } from 'commander';
import { environment } from '../../environment.ts';
import { signingAlgorithmNames } from '../../tokens/algorithms/signing-algorithm.ts';
import { textFormatOption } from '../clients/options.ts';
import type { OutputFormat } from '../output/text.ts';
import type { RotateOptions } from './rotate.ts';

const redisHelp = `
Set COUNTERSIGN_REDIS_URL and COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE as for the
servers, and COUNTERSIGN_KEY_PUBLISH_AHEAD if it is not the default.`;

/** Adds the commands for the keyring in Redis. */
export function addRedisCommands(keys: Command): void {
  addRotate(keys);
  addRetire(keys);
  addReseal(keys);
}

const rotateHelp = `
The next key of each algorithm signs in five minutes, if it has been published
for long enough. The key before it stays published until its tokens have
expired.
With --now, for a key that has leaked: the signing key is removed, and the next
key signs at once. Servers reject the tokens of the removed key within a second.
The command prints for how long verifiers elsewhere accept it.
${redisHelp}`;

function addRotate(keys: Command): void {
  keys
    .command('rotate')
    .description('let the next key sign, in Redis')
    .option('--now', 'remove the key that signs, and reject its tokens: for a key that has leaked', false)
    .addOption(new Option('--alg <algorithm>', 'only the keys of this algorithm').choices(signingAlgorithmNames))
    .addOption(textFormatOption())
    .addHelpText('after', rotateHelp)
    .action(async (options: RotateOptions) => {
      const { rotateKeys } = await import('./rotate.ts');
      process.exitCode = await rotateKeys(environment, options);
    });
}

const retireHelp = `
A key that signs is replaced by the next one, as by \`keys rotate\`. A key that
does not sign yet is removed.
With --now, for a key that has leaked: the key is removed in any state, and its
tokens are rejected.
${redisHelp}`;

function addRetire(keys: Command): void {
  keys
    .command('retire')
    .description('stop a key from signing, in Redis')
    .argument('<kid>', 'the kid of the key, as `keys list` prints it')
    .option('--now', 'remove the key, and reject its tokens: for a key that has leaked', false)
    .addOption(textFormatOption())
    .addHelpText('after', retireHelp)
    .action(async (kid: string, options: { readonly now: boolean; readonly output: OutputFormat }) => {
      const { retireKey } = await import('./rotate.ts');
      process.exitCode = await retireKey(environment, kid, options);
    });
}

const resealHelp = `
For the rotation of the key-encryption key. Once it has succeeded, remove the
second line of the file on every server.
${redisHelp}`;

function addReseal(keys: Command): void {
  keys
    .command('reseal')
    .description('seal the private keys with the first key-encryption key, in Redis')
    .addOption(textFormatOption())
    .addHelpText('after', resealHelp)
    .action(async ({ output }: { readonly output: OutputFormat }) => {
      const { resealKeys } = await import('./reseal.ts');
      process.exitCode = await resealKeys(environment, output);
    });
}

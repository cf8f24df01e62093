import { type Command, Option } from 'commander';
import { environment } from '../../environment.ts';
import { signingAlgorithmNames } from '../../tokens/algorithms/signing-algorithm.ts';
import { addRedisOptions, prepareEnvironment } from '../clients/environment-options.ts';
import { textFormatOption } from '../clients/options.ts';
import type { CreateKeyOptions } from './create.ts';
import type { KeyListFormat } from './list.ts';
import { addRedisCommands } from './redis-program.ts';

/** Adds the commands that manage signing keys, in a directory or in Redis. Each is loaded when it runs. */
export function keysProgram(program: Command): void {
  const keys = program
    .command('keys')
    .description('manage the keys that sign tokens, in a directory or in Redis')
    .hook('preAction', prepareEnvironment);
  addList(keys);
  addCreate(keys);
  addExport(keys);
  addRedisCommands(keys);
  addRedisOptions(keys.commands);
}

/** What every command of keys reads. */
interface KeysOptions {
  readonly dir?: string;
}

function directoryOption(): Option {
  return new Option('-d, --dir <directory>', 'directory of keys, instead of the one in the settings');
}

const sourceHelp = `
The keys are where the server finds them: in COUNTERSIGN_SIGNING_KEYS_DIR, in
Redis (COUNTERSIGN_REDIS_URL), or in COUNTERSIGN_SIGNING_KEY_FILE.`;

const listHelp = `
A key is next (published before it signs), signing, retired (its tokens may not
have expired) and expired (not needed any more; remove it from a directory).
UNTIL is when that state ends.
${sourceHelp}`;

const listFormatOption = new Option(
  '-o, --output <format>',
  'output format; wide has more columns than fit 80 characters',
)
  .choices(['text', 'wide', 'json'])
  .default('text');

function addList(keys: Command): void {
  keys
    .command('list')
    .alias('ls')
    .description('list the keys, when each signs, and until when it is needed')
    .addOption(directoryOption())
    .addOption(listFormatOption)
    .addHelpText('after', listHelp)
    .action(async ({ output, dir }: KeysOptions & { output: KeyListFormat }) => {
      const { listKeys } = await import('./list.ts');
      process.exitCode = await listKeys(environment, dir, output);
    });
}

const createHelp = `
In a directory: creates one key that signs from a date, and prints when it
signs and when the key before it can be removed. An existing file is never
overwritten.
In Redis: creates the keyring, once. The servers then rotate its keys. With
--key, it begins with an existing key, such as that of the server's
COUNTERSIGN_SIGNING_KEY_FILE (unset for this command): the kid stays the same,
its tokens stay valid, and it signs at once, since verifiers know it.
If there is a keyring, --alg adds an algorithm to it, also with --key. Its first
key signs once it has been published for long enough.
${sourceHelp}`;

function addCreate(keys: Command): void {
  keys
    .command('create')
    .description('create a key in a directory, or the first keyring in Redis')
    .addOption(directoryOption())
    .option('--from <time>', 'in a directory: when the key begins to sign, UTC: 2026-11-01 or 2026-11-01T1430Z')
    .option('--key <file>', 'in Redis: the file of an existing private key, PEM or JWK, instead of a new key')
    .addOption(new Option('--alg <algorithm>', 'signature algorithm').choices(signingAlgorithmNames))
    .addOption(textFormatOption())
    .addHelpText('after', createHelp)
    .action(async (options: CreateKeyOptions) => {
      const { createKey } = await import('./create.ts');
      process.exitCode = await createKey(environment, options);
    });
}

const exportHelp = `
Prints what /jwks serves: a JWK Set (RFC 7517), for a verifier that reads keys
from a file. Private keys are never printed.
${sourceHelp}`;

function addExport(keys: Command): void {
  keys
    .command('export')
    .description('print the published keys as a JWK Set')
    .requiredOption('--public', 'print the public keys')
    .addOption(directoryOption())
    .addHelpText('after', exportHelp)
    .action(async ({ dir }: KeysOptions) => {
      const { exportKeys } = await import('./export.ts');
      process.exitCode = await exportKeys(environment, dir);
    });
}

import type { Command } from 'commander';
import { collect } from '../collect.ts';
import { environment } from './environment.ts';
import { clientsFormatOption, redisHelp } from './format-option.ts';
import type { PlanCommandOptions } from './plan.ts';

const filesHelp = `
Files are YAML, JSON or JSON Lines (.jsonl: a record a line, for very many).${redisHelp}`;

const planHelp = `
Nothing is written.
Exit codes: 0 nothing would change, 2 something would, 1 an error,
130 after Ctrl-C.
${filesHelp}`;

const applyHelp = `
Every record is checked before the first is written. Clients that no file has
stay unless --prune is given. Applying the same files again changes nothing, and
continues where Redis failed or Ctrl-C stopped it. While another apply runs, it
waits up to 20 seconds for its turn.
Exit codes: 0 nothing changed, 2 something did, 1 an error, 130 after Ctrl-C.
${filesHelp}`;

/** Adds the commands that compare files with Redis, and write them there. */
export function clientsPlanProgram(clients: Command): void {
  const planned = (name: string, description: string, help: string) =>
    clients
      .command(name)
      .description(description)
      .requiredOption(
        '-f, --file <path...>',
        'files, folders of files, or - for standard input; may be repeated',
        collect,
      )
      .option('--prune', 'remove clients that no file has', false)
      .addOption(clientsFormatOption())
      .addHelpText('after', help);
  planned('plan', 'compare the records of files with those in Redis', planHelp).action(
    async (options: PlanCommandOptions) => {
      const { planClients } = await import('./plan.ts');
      process.exitCode = await planClients(await environment(), options);
    },
  );
  planned('apply', 'make Redis hold the records of files', applyHelp).action(async (options: PlanCommandOptions) => {
    const { applyClients } = await import('./apply.ts');
    process.exitCode = await applyClients(await environment(), options);
  });
}

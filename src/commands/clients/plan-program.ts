import type { Command } from 'commander';
import { environment } from '../../environment.ts';
import { clientsFormatOption, collect, redisHelp } from './options.ts';
import type { ClientFilesOptions, PlanCommandOptions } from './plan.ts';

const filesHelp = `
Files are YAML, JSON or JSON Lines (.jsonl: one record per line, streamed), and
have clients, resources or both.${redisHelp}`;

const planHelp = `
Nothing is written.
Exit codes: 0 success, 1 error, 130 after Ctrl-C. With --detailed-exitcode:
0 no changes, 1 error, 2 changes.
${filesHelp}`;

const applyHelp = `
Every record is validated before the first is written. Records that are not in
the files are kept unless --prune is given. Applying the same files again
changes nothing, and resumes a run that failed or was interrupted. While another
apply is running, this one waits up to 20 seconds for the lock.
Exit codes: 0 success, 1 error, 130 after Ctrl-C.
${filesHelp}`;

/** Adds the commands that compare files with Redis, and write them there. */
export function addPlanCommands(clients: Command): void {
  addFilesCommand(clients, 'plan', 'compare the records of files with those in Redis')
    .option('--detailed-exitcode', 'exit with 2 if there are changes', false)
    .addHelpText('after', planHelp)
    .action(async (options: PlanCommandOptions) => {
      const { planClients } = await import('./plan.ts');
      process.exitCode = await planClients(environment, options);
    });
  addFilesCommand(clients, 'apply', 'write the records of files to Redis')
    .addHelpText('after', applyHelp)
    .action(async (options: ClientFilesOptions) => {
      const { applyClients } = await import('./apply.ts');
      process.exitCode = await applyClients(environment, options);
    });
}

function addFilesCommand(clients: Command, name: string, description: string): Command {
  const files = 'files, folders of files, or - for standard input; may be repeated';
  return clients
    .command(name)
    .description(description)
    .requiredOption('-f, --file <path...>', files, collect)
    .option('--prune', 'remove records that are not in the files, of the types that the files have', false)
    .addOption(clientsFormatOption());
}

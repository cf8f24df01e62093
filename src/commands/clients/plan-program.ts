import type { Command } from 'commander';
import { environment } from '../../environment.ts';
import type { ApplyCommandOptions } from './apply.ts';
import { clientsFormatOption, filesOption, redisHelp, requireFiles } from './options.ts';
import type { PlanCommandOptions } from './plan.ts';

const filesHelp = `
Files are YAML, JSON or JSON Lines (.jsonl: one record per line, streamed), and
have clients, resources or both.${redisHelp}`;

const planHelp = `
Nothing is written.
${filesHelp}`;

const applyHelp = `
Every record is validated before the first is written. Records that are not in
the files are kept unless --prune is given. If that removes more than 10
records, and more than a third of their type, apply asks on a terminal, and
otherwise requires --yes. A client that is disabled in Redis is re-enabled by a
file without "enabled: false", unless --keep-disabled is given. Applying the
same files again changes nothing, and resumes a run that failed or was
interrupted. While another apply is running, this one waits up to 20 seconds for
the lock.
${filesHelp}`;

/** Adds the commands that compare files with Redis, and write them there. */
export function addPlanCommands(clients: Command): void {
  const plan = addFilesCommand(clients, 'plan', 'compare the records of files with those in Redis')
    .option('--detailed-exitcode', 'exit with 2 if there are changes', false)
    .addHelpText('after', planHelp)
    .action(async (paths: string[], options: PlanCommandOptions) => {
      const file = requireFiles(plan, [...options.file, ...paths]);
      const { planClients } = await import('./plan.ts');
      process.exitCode = await planClients(environment, { ...options, file });
    });
  const apply = addFilesCommand(clients, 'apply', 'write the records of files to Redis')
    .option('-y, --yes', 'remove many records without confirmation', false)
    .addHelpText('after', applyHelp)
    .action(async (paths: string[], options: ApplyCommandOptions) => {
      const file = requireFiles(apply, [...options.file, ...paths]);
      const { applyClients } = await import('./apply.ts');
      process.exitCode = await applyClients(environment, { ...options, file });
    });
}

function addFilesCommand(clients: Command, name: string, description: string): Command {
  return clients
    .command(name)
    .description(description)
    .argument('[path...]', 'files, folders of files, or - for standard input')
    .addOption(filesOption())
    .option('--prune', 'remove records that are not in the files, of the types that the files have', false)
    .option('--keep-disabled', 'do not re-enable clients that are disabled in Redis', false)
    .addOption(clientsFormatOption());
}

import { type Command, Option } from 'commander';
import type { OutputFormat } from '../output.ts';
import { environment } from './environment.ts';
import type { ExportCommandOptions } from './export.ts';
import { redisHelp } from './format-option.ts';
import { clientsImportProgram } from './import-program.ts';
import { clientsPlanProgram } from './plan-program.ts';
import { clientsRecordsProgram } from './records-program.ts';

const checkHelp = `
Exit codes: 0 all of them are sound, 1 a fault.`;

const exportHelp = `
Exit codes: 0 all are in it, 1 something in Redis is no record and is left out,
or an error; 130 after Ctrl-C.
${redisHelp}`;

/** Adds the commands that look after client records. Each is loaded when it runs. */
export function clientsProgram(program: Command): void {
  const clients = program.command('clients').description('look after client records');
  clients.hook('preAction', async () => {
    const { warnOfUnknownSettings } = await import('./warn-of-unknown-settings.ts');
    warnOfUnknownSettings(await environment());
  });
  addCheck(clients);
  clientsImportProgram(clients);
  clientsPlanProgram(clients);
  clientsRecordsProgram(clients);
  addExport(clients);
  clients
    .command('schema')
    .description('print the JSON Schema of files with client records, for editors')
    .action(async () => {
      const { clientsSchema } = await import('../../clients/json-schema.ts');
      console.log(JSON.stringify(clientsSchema(), null, 2));
    });
}

function addCheck(clients: Command): void {
  clients
    .command('check')
    .description('say whether the server would accept the records of files, and what is wrong with each')
    .argument('<path...>', 'files with client records, folders of them, or - for standard input')
    .addOption(
      new Option('-o, --output <format>', 'for people or for programs').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', checkHelp)
    .action(async (paths: string[], { output }: { output: OutputFormat }) => {
      const { checkClients } = await import('./check.ts');
      const { readRecordsConfig } = await import('../../config.ts');
      process.exitCode = await checkClients(paths, { ...readRecordsConfig(await environment()), output });
    });
}

function addExport(clients: Command): void {
  const formats = ['yaml', 'json', 'jsonl'];
  clients
    .command('export')
    .description('print all records, as a file that apply takes back')
    .addOption(
      new Option('-o, --output <format>', 'for people or for programs; jsonl is a record a line, for very many')
        .choices(formats)
        .default('yaml'),
    )
    .option('--out <file>', 'write them to a file instead; - is standard output')
    .option('--force', 'write over that file if it is there')
    .addHelpText('after', exportHelp)
    .action(async (options: ExportCommandOptions) => {
      const { exportClients } = await import('./export.ts');
      process.exitCode = await exportClients(await environment(), options);
    });
}

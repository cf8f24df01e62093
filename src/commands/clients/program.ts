import { type Command, Option } from 'commander';
import {
  assumedNames,
  type DatabaseName,
  databaseNames,
  storeQuery,
} from '../../administration/import/identity-server/database/query.ts';
import { environment } from '../../environment.ts';
import { printWarnings } from '../output/errors.ts';
import type { OutputFormat } from '../output/text.ts';
import { addRedisOptions, addSettingsOption, prepareEnvironment } from './environment-options.ts';
import type { ExportCommandOptions } from './export.ts';
import type { ImportSource } from './import.ts';
import { filesOption, redisHelp, requireFiles, textFormatOption } from './options.ts';
import type { OutputFileOptions } from './output-file.ts';
import { addPlanCommands } from './plan-program.ts';
import { addRecordCommands } from './records-program.ts';

/** Adds the commands that manage client records. Each is loaded when it runs. */
export function clientsProgram(program: Command): void {
  const clients = program.command('clients').description('manage client records, and the resources beside them');
  clients.hook('preAction', prepareEnvironment);
  addCheck(clients);
  addImport(clients);
  const others = clients.commands.length;
  addPlanCommands(clients);
  addRecordCommands(clients);
  addExport(clients);
  addRedisOptions(clients.commands.slice(others));
  addSchema(clients);
}

const checkHelp = `
Valid files are checked even if others cannot be read.`;

function addCheck(clients: Command): void {
  const check = clients
    .command('check')
    .alias('validate')
    .description('validate the records of files as the server does')
    .argument('[path...]', 'files with records, folders of them, or - for standard input')
    .addOption(filesOption())
    .addOption(textFormatOption())
    .addHelpText('after', checkHelp)
    .action(async (operands: string[], { file, output }: { file: string[]; output: OutputFormat }) => {
      const paths = requireFiles(check, [...file, ...operands]);
      const { checkClients } = await import('./check.ts');
      const { readRecordsConfig } = await import('../records-config.ts');
      const { warnings, ...config } = readRecordsConfig(environment);
      printWarnings(warnings);
      process.exitCode = await checkClients(paths, { ...config, output });
    });
  addSettingsOption(check);
}

const importHelp = `
A comment above each client lists what changes for it. Clients that cannot be
imported are commented out. The summary on standard error has each difference
once, with the clients that have it.`;

function addImport(clients: Command): void {
  const command = clients.command('import').description('convert the clients of another server to client records');
  addImportIdentityServer(command);
  const keycloak = command
    .command('keycloak')
    .description('import the clients of a Keycloak realm from its export')
    .argument('<file>', 'JSON; - is standard input')
    .action((file: string, options: OutputFileOptions) => runImport('keycloak', [file], options));
  addImportOutput(keycloak, importHelp);
}

const databaseHelp = `
A SQLite database is read as it is. For another one, run the query that --query
prints, and import its output:
  countersign clients import identityserver --query postgresql > query.sql
  psql -At -f query.sql -d DATABASE > result.txt
  mysql --default-character-set=utf8mb4 -N -r DATABASE < query.sql > result.txt
  sqlcmd -y 0 -f 65001 -d DATABASE -i query.sql -o result.txt
  countersign clients import identityserver result.txt --out clients.yaml
Several files are merged as in .NET: each replaces values of those before it,
and lists are merged item by item.
${importHelp}`;

interface IdentityServerOptions extends OutputFileOptions {
  readonly query?: DatabaseName;
  readonly schema?: string;
}

function addImportIdentityServer(parent: Command): void {
  const description = 'print a SELECT that yields what the import reads from this database';
  const command = parent
    .command('identityserver')
    .description('import the clients of an IdentityServer from its configuration or database')
    .argument('[file...]', 'JSON, a SQLite database, or the output of the query; - is standard input')
    .addOption(new Option('--query <database>', description).choices(databaseNames).conflicts(['out', 'force']))
    .addOption(new Option('--schema <name>', 'schema of the tables in the query, if it is not the default one'))
    .action(async (files: readonly string[], options: IdentityServerOptions) => {
      const { query, schema } = options;
      if ((files.length === 0) === (query === undefined))
        command.error('error: expected either files, such as appsettings.json, or --query');
      if (schema !== undefined && query === undefined) command.error('error: --schema requires --query');
      if (query !== undefined) process.stdout.write(storeQuery(query, assumedNames(schema)));
      if (files.length > 0) await runImport('identityserver', files, options);
    });
  addImportOutput(command, databaseHelp);
}

async function runImport(source: ImportSource, files: readonly string[], options: OutputFileOptions): Promise<void> {
  const { importClients } = await import('./import.ts');
  process.exitCode = await importClients(source, files, options);
}

function addImportOutput(command: Command, help: string): void {
  command
    .option('--out <file>', 'write the records to a file, YAML. Default, and -: standard output')
    .option('--force', 'overwrite an existing file')
    .addHelpText('after', help);
}

function addExport(clients: Command): void {
  const description = 'output format; jsonl has one record per line';
  clients
    .command('export')
    .description('print all records in a format that apply accepts as is')
    .addOption(new Option('-o, --output <format>', description).choices(['yaml', 'json', 'jsonl']).default('yaml'))
    .option('--out <file>', 'write the records to a file. Default, and -: standard output')
    .option('--force', 'overwrite an existing file')
    .addHelpText('after', redisHelp)
    .action(async (options: ExportCommandOptions) => {
      const { exportClients } = await import('./export.ts');
      process.exitCode = await exportClients(environment, options);
    });
}

function addSchema(clients: Command): void {
  clients
    .command('schema')
    .description('print the JSON Schema of files with records, for editors')
    .action(async () => {
      const { recordsSchema } = await import('../../clients/files/json-schema.ts');
      console.log(JSON.stringify(recordsSchema(), null, 2));
    });
}

import { type Command, Option } from 'commander';
import type { Environment } from '../../settings/settings.ts';
import { printProblem } from '../output/errors.ts';
import type { OutputFormat } from '../output/text.ts';
import type { ExportCommandOptions } from './export.ts';
import type { ImportSource } from './import.ts';
import type { ListCommandOptions } from './list.ts';
import type { OutputFileOptions } from './output-file.ts';
import type { ClientsFormat, PlanCommandOptions } from './plan.ts';

/** `--output` of the commands on the clients in Redis. */
export function clientsFormatOption(): Option {
  const formats = ['table', 'json', 'yaml'];
  return new Option('-o, --output <format>', 'for people or for programs').choices(formats).default('table');
}

/** The end of the help of each of them. */
export const redisHelp = `
COUNTERSIGN_REDIS_URL says where the clients are. More: docs/clients.md`;

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
    // A misspelt setting can make a command change other clients than those intended.
    const { describeUnknownSetting, findUnknownSettings } = await import('../../settings/unknown-settings.ts');
    const unknown = findUnknownSettings(await environment());
    for (const setting of unknown) printProblem(`warning: ${describeUnknownSetting(setting)}`);
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

interface EachClientOptions {
  readonly output: ClientsFormat;
}

const listHelp = `
Exit codes: 0, or 1 an error, 130 after Ctrl-C.
${redisHelp}`;

const showHelp = `
Exit codes: 0, or 1 where it is not there, or the server cannot use it, or
nobody has the certificate, or an error; 130 after Ctrl-C.
${redisHelp}`;

const eachHelp = `
Exit codes: 0 all of them are as asked, 1 one of them is not there or an error,
130 after Ctrl-C.
${redisHelp}`;

/** Adds the commands that look at the clients in Redis, and change one or some of them. */
export function clientsRecordsProgram(clients: Command): void {
  addList(clients);
  addShow(clients);
  addOneByOne(clients);
}

function addList(clients: Command): void {
  clients
    .command('list')
    .description('list the clients in Redis')
    .argument('[pattern]', 'only those whose client_id matches, with the globs of Redis: * ? [a-z]')
    .option('--disabled', 'only those that are disabled', false)
    .option('--unusable', 'only those whose record the server cannot use', false)
    .addOption(clientsFormatOption())
    .addHelpText('after', listHelp)
    .action(async (pattern: string | undefined, options: ListCommandOptions) => {
      const { listClients } = await import('./list.ts');
      process.exitCode = await listClients(await environment(), pattern, options);
    });
}

function addShow(clients: Command): void {
  const show = clients
    .command('show')
    .description('show a record and what the server makes of it, or which clients a certificate could be')
    .argument('[client_id]', 'whose record')
    .option('--certificate <file>', 'instead, the certificate, PEM or DER; - is standard input')
    .addOption(clientsFormatOption())
    .addHelpText('after', showHelp);
  show.action(
    async (clientId: string | undefined, { certificate, output }: { certificate?: string; output: ClientsFormat }) => {
      if (clientId !== undefined && certificate !== undefined) {
        show.error('error: a client_id and --certificate are two questions; ask one of them');
      }
      if (clientId === undefined && certificate === undefined) {
        show.error('error: expected a client_id or --certificate');
      }
      if (certificate !== undefined) {
        const { showClientsOfCertificate } = await import('./show-certificate.ts');
        process.exitCode = await showClientsOfCertificate(await environment(), certificate, output);
      } else if (clientId !== undefined) {
        const { showClient } = await import('./show.ts');
        process.exitCode = await showClient(await environment(), clientId, output);
      }
    },
  );
}

function addOneByOne(clients: Command): void {
  const named = (name: string, description: string) =>
    clients
      .command(name)
      .description(description)
      .argument('<client_id...>', 'which')
      .addOption(clientsFormatOption())
      .addHelpText('after', eachHelp);
  for (const [name, isEnabled] of [
    ['disable', false],
    ['enable', true],
  ] as const) {
    named(name, isEnabled ? 'take disabled clients back' : 'refuse clients, on every replica within a second').action(
      async (clientIds: string[], { output }: EachClientOptions) => {
        const { enableClients } = await import('./change.ts');
        process.exitCode = await enableClients(await environment(), clientIds, { isEnabled, output });
      },
    );
  }
  named('remove', 'remove clients from Redis').action(async (clientIds: string[], { output }: EachClientOptions) => {
    const { removeClients } = await import('./change.ts');
    process.exitCode = await removeClients(await environment(), clientIds, output);
  });
}

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

const importHelp = `
Each client has what it loses noted above it; who has no certificate stays as a
comment.
Exit codes: 0 all is imported without loss, 1 the file cannot be read,
2 something is left out or noted.

More: docs/clients.md`;

/** Adds the commands that write another server's clients as records. */
export function clientsImportProgram(clients: Command): void {
  const command = clients.command('import').description("write another server's clients as a file of records");
  const add = (source: ImportSource, description: string) =>
    command
      .command(source)
      .description(description)
      .argument('<file>', 'JSON; - is standard input')
      .option('--out <file>', 'where the records go, YAML; without it, or for -, standard output')
      .option('--force', 'write over that file if it is there')
      .addHelpText('after', importHelp)
      .action(async (file: string, options: OutputFileOptions) => {
        const { importClients } = await import('./import.ts');
        process.exitCode = await importClients(source, file, options);
      });
  add('identityserver', 'the Clients of an IdentityServer, from its configuration');
  add('keycloak', 'the clients of a Keycloak realm, from its export');
}

/** Loaded when a command runs, and not before. */
export async function environment(): Promise<Environment> {
  return (await import('../../config.ts')).environment;
}

/** The values of an option that may be repeated. */
export function collect(value: string, values: readonly string[] = []): string[] {
  return [...values, value];
}

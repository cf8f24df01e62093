import type { Command } from 'commander';
import { environment } from '../../environment.ts';
import type { ListCommandOptions } from './list.ts';
import {
  type ClientsFormat,
  clientsFormatOption,
  listFormatOption,
  passwordFileOption,
  passwordOption,
  redisHelp,
} from './options.ts';
import type { ShowCertificateOptions } from './show-certificate.ts';

/** Adds the commands that list, print and change clients in Redis. */
export function addRecordCommands(clients: Command): void {
  addList(clients);
  addShow(clients);
  addEnable(clients, 'disable', { isEnabled: false, description: 'disable clients, on every replica within a second' });
  addEnable(clients, 'enable', { isEnabled: true, description: 're-enable clients' });
  addRemove(clients);
}

function addList(clients: Command): void {
  clients
    .command('list')
    .alias('ls')
    .description('list the clients in Redis')
    .argument('[pattern]', 'only clients whose client_id matches this Redis glob-style pattern: * ? [a-z]')
    .option('--disabled', 'only disabled clients', false)
    .option('--invalid', 'only clients whose record is invalid', false)
    .addOption(listFormatOption())
    .addHelpText('after', redisHelp)
    .action(async (pattern: string | undefined, options: ListCommandOptions) => {
      const { listClients } = await import('./list.ts');
      process.exitCode = await listClients(environment, pattern, options);
    });
}

interface ShowCommandOptions extends ShowCertificateOptions {
  readonly certificate?: string;
}

function addShow(clients: Command): void {
  const show = clients
    .command('show')
    .alias('get')
    .description('print a record and how the server interprets it, or the clients that a certificate matches')
    .argument('[client_id]', 'the client to print')
    .option(
      '--certificate <file>',
      'print the clients that this certificate matches: PEM, DER, PKCS #7, PKCS #12; - is standard input',
    )
    .addOption(passwordOption())
    .addOption(passwordFileOption())
    .addOption(clientsFormatOption())
    .addHelpText('after', redisHelp);
  show.action(async (clientId: string | undefined, { certificate, ...options }: ShowCommandOptions) => {
    if (clientId !== undefined && certificate !== undefined) {
      show.error('error: a client_id and --certificate are mutually exclusive; use one of them');
    }
    if (certificate !== undefined) {
      const { showClientsOfCertificate } = await import('./show-certificate.ts');
      process.exitCode = await showClientsOfCertificate(environment, certificate, options);
    } else if (clientId !== undefined) {
      const { showClient } = await import('./show.ts');
      process.exitCode = await showClient(environment, clientId, options.output);
    } else {
      show.error('error: expected a client_id or --certificate; `countersign clients list` lists all clients');
    }
  });
}

interface EachClientOptions {
  readonly output: ClientsFormat;
}

function addEnable(
  clients: Command,
  name: string,
  { isEnabled, description }: { isEnabled: boolean; description: string },
): void {
  addEachCommand(clients, name, description).action(async (clientIds: string[], { output }: EachClientOptions) => {
    const { enableClients } = await import('./change-clients.ts');
    process.exitCode = await enableClients(environment, clientIds, { isEnabled, output });
  });
}

function addRemove(clients: Command): void {
  const command = addEachCommand(clients, 'remove', 'remove clients from Redis').aliases(['delete', 'rm']);
  command.option('-y, --yes', 'remove more than 10 clients that are more than a third without confirmation', false);
  command.action(async (clientIds: string[], options: EachClientOptions & { readonly yes: boolean }) => {
    const { removeClients } = await import('./change-clients.ts');
    process.exitCode = await removeClients(environment, clientIds, options);
  });
}

function addEachCommand(clients: Command, name: string, description: string): Command {
  return clients
    .command(name)
    .description(description)
    .argument('<client_id...>', 'the client_id of each client')
    .addOption(clientsFormatOption())
    .addHelpText('after', redisHelp);
}

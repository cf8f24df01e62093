import type { Command } from 'commander';
import { environment } from './environment.ts';
import { clientsFormatOption, redisHelp } from './format-option.ts';
import type { ListCommandOptions } from './list.ts';
import type { ClientsFormat } from './plan-report.ts';

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
        const { enableClients } = await import('./enable.ts');
        process.exitCode = await enableClients(await environment(), clientIds, { isEnabled, output });
      },
    );
  }
  named('remove', 'remove clients from Redis').action(async (clientIds: string[], { output }: EachClientOptions) => {
    const { removeClients } = await import('./remove.ts');
    process.exitCode = await removeClients(await environment(), clientIds, output);
  });
}

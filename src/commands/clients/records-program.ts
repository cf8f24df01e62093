import type { Command } from 'commander';
import { clientsFormatOption } from './format-option.ts';
import type { ListCommandOptions } from './list.ts';
import type { ClientsFormat } from './plan-report.ts';

const eachHelp = `
Exit codes: 0 all of them are as asked, 1 one of them is not there or an error.`;

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
    .option('--certificate <file>', 'instead, the certificate, PEM or DER')
    .addOption(clientsFormatOption());
  show.action(
    async (clientId: string | undefined, { certificate, output }: { certificate?: string; output: ClientsFormat }) => {
      if ((clientId === undefined) === (certificate === undefined))
        show.error('error: expected a client_id or --certificate');
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
    clients.command(name).description(description).argument('<client_id...>', 'which').addHelpText('after', eachHelp);
  for (const [name, isEnabled] of [
    ['disable', false],
    ['enable', true],
  ] as const) {
    named(name, isEnabled ? 'take disabled clients back' : 'refuse clients, on every replica within a second').action(
      async (clientIds: string[]) => {
        const { enableClients } = await import('./enable.ts');
        process.exitCode = await enableClients(await environment(), clientIds, isEnabled);
      },
    );
  }
  named('remove', 'remove clients from Redis').action(async (clientIds: string[]) => {
    const { removeClients } = await import('./remove.ts');
    process.exitCode = await removeClients(await environment(), clientIds);
  });
}

async function environment() {
  return (await import('../../config.ts')).environment;
}

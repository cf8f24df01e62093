import type { Command } from 'commander';
import type { ImportSource } from './import.ts';
import type { OutputFileOptions } from './output-file.ts';

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

import type { Command } from 'commander';
import { collect, passwordFileOption, passwordOption, textFormatOption } from '../clients/options.ts';
import type { TokenOptions } from './token.ts';

const help = `
The signature of the token is not verified. The token endpoint is that of the
server's metadata.`;

/** Adds `countersign token`. */
export function tokenProgram(program: Command): void {
  program
    .command('token')
    .description('request a token with a client certificate, and print it decoded')
    .requiredOption('-u, --url <url>', 'URL of the server: the issuer')
    .requiredOption('--cert <file>', 'client certificate, PEM or PKCS #12')
    .option('--key <file>', 'key of the client certificate, PEM; by default, it is in the file of --cert')
    .addOption(passwordOption())
    .addOption(passwordFileOption())
    .option('--client-id <id>', 'client_id of the client; by default, the CN of the certificate')
    .option('--scope <scopes>', 'scopes to request, separated by spaces')
    .option('--resource <uri>', 'resource to request (RFC 8707); may be repeated', collect)
    .option('--cacert <file>', "CA of the server's certificate, PEM")
    .option(
      '--connect-to <host:port>',
      'connect to this address instead; TLS server name and Host stay those of the URL',
    )
    .option('--raw', 'print only the token')
    .addOption(textFormatOption())
    .addHelpText('after', help)
    .action(async (options: TokenOptions) => {
      const { requestToken } = await import('./token.ts');
      process.exitCode = await requestToken(options);
    });
}

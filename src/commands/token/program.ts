import type { Command } from 'commander';
import { collect, passwordFileOption, passwordOption, textFormatOption } from '../clients/options.ts';
import type { TokenOptions } from './token.ts';

const help = `
The signature of the token is not verified. The token endpoint is that of the
server's metadata.
Exit codes: 0 a token was issued, 1 the server rejects the request or cannot be
reached, or another error.

Examples:
  countersign token --url https://auth.example --cert client.p12 \\
    --password-file password.txt --client-id billing
  countersign token --url https://localhost:8443 --cacert ca.pem \\
    --cert client.pem --key client-key.pem --scope "orders:read"
  curl -H "Authorization: Bearer $(countersign token --raw …)" …`;

/** Adds `countersign token`. */
export function tokenProgram(program: Command): void {
  program
    .command('token')
    .description('ask the server for a token with a client certificate, and print it decoded')
    .requiredOption('-u, --url <url>', 'URL of the server: the issuer')
    .requiredOption('--cert <file>', 'client certificate, PEM or PKCS #12')
    .option('--key <file>', 'key of the client certificate, PEM; by default, it is in the file of --cert')
    .addOption(passwordOption())
    .addOption(passwordFileOption())
    .option('--client-id <id>', 'client_id of the client; by default, the CN of the certificate')
    .option('--scope <scopes>', 'scopes to ask for, separated by spaces')
    .option('--resource <uri>', 'resource to ask for (RFC 8707); may be repeated', collect)
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

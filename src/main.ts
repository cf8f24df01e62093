import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { CertificateOptions } from './commands/certificate.ts';
import { collect, passwordFileOption, passwordOption, textFormatOption } from './commands/clients/options.ts';
import { clientsProgram } from './commands/clients/program.ts';
import { completionProgram } from './commands/completion/program.ts';
import { codeOfError, exitCodes } from './commands/exit-codes.ts';
import { completeHelp } from './commands/help.ts';
import { withKidAsOperand } from './commands/keys/kid-operand.ts';
import { keysProgram } from './commands/keys/program.ts';
import { exitOnOutputError, InterruptedError, printError } from './commands/output/errors.ts';
import type { OutputFormat } from './commands/output/text.ts';
import { resourcesProgram } from './commands/resources/program.ts';
import { tokenProgram } from './commands/token/program.ts';
import { tokensProgram } from './commands/tokens/program.ts';
import type { DoctorOptions } from './doctor/probe/options.ts';
import { environment } from './environment.ts';
import { printable } from './text.ts';
import { description, version } from './version.ts';

// Each command is imported when it runs: importing all of them takes longer than most of them run.

// The help of `serve` is the table of settings, which `serve` imports anyway. No other command imports all of it.
const serveHelp = process.argv.includes('serve') ? (await import('./settings/reference.ts')).settingsHelp() : '';

const doctorHelp = `
The default operations listener is http://127.0.0.1:9090
(COUNTERSIGN_OPERATIONS_LISTEN).`;

const certificateHelp = `
The printed records are those that \`clients check\` accepts with the same
settings. A certificate that cannot be verified with the CAs is only registered
by itself. The CAs are those of --ca, or of COUNTERSIGN_CLIENT_CA_FILE unless
the certificate is self-signed.`;

const program = new Command('countersign')
  .description(description)
  .version(version)
  .configureHelp({
    showGlobalOptions: true,
    // Without options and operands, which the help of each command has, so that the lines fit a terminal.
    subcommandTerm: (command) => [command.name(), ...command.aliases()].join(', '),
  })
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.split('\n').map(printable).join('\n')) })
  .hook('preAction', (_, action) => {
    // `serve` writes its log to the same descriptor synchronously, without process.stdout.
    if (action.name() !== 'serve' || action.opts().check) exitOnOutputError();
  });

program
  .command('serve')
  .description('run the server behind a TLS terminator, configured by COUNTERSIGN_… variables')
  .option('--check', 'only check the configuration: load every file, check each address, and connect to Redis')
  .addHelpText('after', `\n${serveHelp}`)
  .action(async ({ check }: { check?: true }) => {
    if (check) {
      const { checkConfiguration } = await import('./commands/check-configuration.ts');
      return checkConfiguration(environment);
    }
    const { serve } = await import('./commands/serve.ts');
    await serve(environment);
  });

program
  .command('dev')
  .description('run the server on localhost with an embedded terminator, a throw-away CA and two clients')
  .option('-p, --port <port>', 'port of https://localhost', parsePort, 8443)
  .option('-d, --folder <folder>', 'folder for keys, certificates and clients.yaml', '.countersign')
  .action(async ({ port, folder }) => {
    const { dev } = await import('./commands/dev.ts');
    await dev({ port, folder: resolve(folder) }, environment);
  });

clientsProgram(program);
resourcesProgram(program);
tokenProgram(program);
tokensProgram(program);
keysProgram(program);

program
  .command('certificate')
  .description('print a certificate, the client record fields that register it, and its certification path')
  .argument('<file>', 'certificate and its intermediates: PEM, DER, PKCS #7 or PKCS #12; - is standard input')
  .option(
    '--ca <bundle>',
    'CA certificates, a file or folder: verify the certificate against them, as the server does (default: COUNTERSIGN_CLIENT_CA_FILE)',
  )
  .option('--crl <file>', 'CRLs of its CAs, a file or folder; may be repeated', collect)
  .addOption(passwordOption())
  .addOption(passwordFileOption())
  .addOption(textFormatOption())
  .addHelpText('after', certificateHelp)
  .action(async (file: string, options: CertificateOptions) => {
    const { describeCertificate } = await import('./commands/certificate.ts');
    process.exitCode = await describeCertificate(file, options, environment);
  });

program
  .command('rejections')
  .description('explain the code of an audit event: what it means, its usual cause, and the fix')
  .argument('[code]', 'the code to explain, such as subject_dn_mismatch; all codes if omitted')
  .addOption(textFormatOption())
  .action(async (code: string | undefined, { output }: { output: OutputFormat }) => {
    const { printRejections } = await import('./commands/rejections/rejections.ts');
    printRejections(code, output);
  });

program
  .command('doctor')
  .description(
    'check the live proxy: send a certificate and forged ones through it, and report what the server received',
  )
  .requiredOption(
    '-u, --url <url>',
    'URL of the server as clients use it: issuer or mutual TLS base URL; with --edge, the protected URL',
  )
  .option('--edge', 'probe a URL that the edge protects, with the operations listener as its upstream')
  .option('--token <file>', 'with --edge: access token to send, for a route that verifies tokens')
  .option('--cert <file>', 'client certificate, PEM or PKCS #12; generated for the run if omitted')
  .option('--key <file>', 'key of the client certificate, PEM; by default, it is in the file of --cert')
  .addOption(passwordOption())
  .addOption(passwordFileOption())
  .option('--cacert <file>', "CA of the proxy's server certificate, PEM")
  .option('--connect-to <host:port>', 'connect to this address instead; TLS server name and Host stay those of the URL')
  .option('--http-port <port>', 'port on which the same host may respond without TLS', parsePort, 80)
  .option('--operations <listener>', 'operations listener of the server; repeat it for each replica', collect)
  .addOption(textFormatOption())
  .addHelpText('after', doctorHelp)
  .action(async ({ output, ...options }: DoctorOptions & { output: OutputFormat }) => {
    const { doctor } = await import('./commands/doctor.ts');
    process.exitCode = await doctor(options, output);
  });

completionProgram(program);

completeHelp(program);

const args = process.argv.slice(2);
try {
  await program.parseAsync(withKidAsOperand(args), { from: 'user' });
} catch (error) {
  end(error);
}

function end(error: unknown): void {
  if (error instanceof CommanderError) {
    // Commander has already printed the help, or what is wrong with the command line.
    exitOnOutputError();
    process.exitCode = error.exitCode === exitCodes.success ? exitCodes.success : errorCode(exitCodes.usage);
    return;
  }
  printError(error);
  process.exit(error instanceof InterruptedError ? error.exitCode : errorCode(codeOfError(error)));
}

/** As in Terraform, an error of `plan --detailed-exitcode` never has the code of changes, whatever its kind. */
function errorCode(code: number): number {
  const [group, command] = args;
  const isDetailed = group === 'clients' && command === 'plan' && args.includes('--detailed-exitcode');
  return isDetailed ? exitCodes.failure : code;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError('expected a number from 1 to 65535');
}

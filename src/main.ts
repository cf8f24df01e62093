#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { CertificateOptions } from './commands/certificate.ts';
import { clientsProgram, collect } from './commands/clients/program.ts';
import { exitOnOutputError, InterruptedError, printError } from './commands/output/errors.ts';
import type { OutputFormat } from './commands/output/text.ts';
import type { DoctorOptions } from './doctor/probe/options.ts';
import { printable } from './text.ts';

// Each command is loaded when it runs, with `./config.ts` where it needs it: loading all of them takes longer than
// most of them run.
const { version, description } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const serveHelp = `
Required:
  COUNTERSIGN_ISSUER             the URL that clients know this server by
  COUNTERSIGN_TERMINATOR         what the proxy in front forwards: nginx, envoy,
                                 haproxy, … (docs/terminators.md)
  COUNTERSIGN_SIGNING_KEY_FILE   the private key that signs tokens
  COUNTERSIGN_REDIS_URL          where the client records are, or
  COUNTERSIGN_CLIENTS_FILE       a file with them

For clients of a CA (tls_client_auth):
  COUNTERSIGN_CLIENT_CA_FILE     its certificate, and its intermediates'

All settings: docs/configuration.md`;

const doctorHelp = `
The operations listener is http://127.0.0.1:9090 unless said otherwise
(COUNTERSIGN_OPERATIONS_LISTEN).
Exit codes: 0 all is sound, 1 it could not be examined, 2 something is wrong.

More: docs/doctor.md`;

const program = new Command('countersign')
  .description(description)
  .version(version)
  .configureHelp({ showGlobalOptions: true })
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.split('\n').map(printable).join('\n')) })
  .hook('preAction', (_, action) => {
    // The log of the server has a way of its own to the same descriptor.
    if (action.name() !== 'serve') exitOnOutputError();
  });

program
  .command('serve')
  .description('run the server behind a TLS terminator, configured by COUNTERSIGN_… variables')
  .addHelpText('after', serveHelp)
  .action(async () => {
    const { serve } = await import('./commands/serve.ts');
    await serve((await import('./config.ts')).environment);
  });

program
  .command('dev')
  .description('run it on localhost with a terminator of its own, a throw-away CA and two clients')
  .option('-p, --port <port>', 'port of https://localhost', parsePort, 8443)
  .option('-d, --folder <folder>', 'where keys, certificates and clients.yaml are kept', '.countersign')
  .action(async ({ port, folder }) => {
    const { dev } = await import('./commands/dev.ts');
    await dev({ port, folder: resolve(folder) }, (await import('./config.ts')).environment);
  });

clientsProgram(program);

program
  .command('certificate')
  .description('print what is in a certificate, what to paste for it into client records, and who vouches for it')
  .argument('<file>', "a certificate, PEM or DER; a client's may have its intermediates behind it; - is standard input")
  .option('--ca <bundle>', 'verify it to these CAs, a file or folder, as the server does')
  .option('--crl <file>', 'with CRLs of all of its CAs, files or folders; once for each', collect)
  .addOption(outputOption())
  .action(async (file: string, options: CertificateOptions) => {
    const { describeCertificate } = await import('./commands/certificate.ts');
    process.exitCode = await describeCertificate(file, options);
  });

program
  .command('doctor')
  .description('send a certificate and then forged ones through the live proxy, and say what the server made of them')
  .requiredOption('-u, --url <url>', "the server's URL, issuer or mutual TLS, as clients call it")
  .option('--cert <file>', "a client's certificate, PEM; without one, one is made for the run")
  .option('--key <file>', 'its key, PEM')
  .option('--cacert <file>', "the CA of the proxy's own certificate, PEM")
  .option('--connect-to <host:port>', 'where the proxy is in fact; the names stay those of the URL')
  .option('--http-port <port>', 'where the same host would answer without TLS', parsePort, 80)
  .option('--operations <listener>', 'the operations listener of the server, once for each replica', collect)
  .addOption(outputOption())
  .addHelpText('after', doctorHelp)
  .action(async ({ output, ...options }: DoctorOptions & { output: OutputFormat }) => {
    const { doctor } = await import('./commands/doctor.ts');
    process.exitCode = await doctor(options, output);
  });

// Commander's own knows one word, and would show the help of `clients` for `help clients apply`.
program
  .helpCommand(false)
  .command('help')
  .description('show the help of a command')
  .argument('[command...]')
  .action((names: string[]) => names.reduce(childNamed, program).help());

hintAtHelp(program, 'countersign');

try {
  await program.parseAsync();
} catch (error) {
  end(error);
}

function end(error: unknown): void {
  if (error instanceof CommanderError) {
    // It has said all: help, or what is wrong with the command line.
    exitOnOutputError();
    process.exitCode = error.exitCode;
    return;
  }
  printError(error);
  process.exit(error instanceof InterruptedError ? error.exitCode : 1);
}

function childNamed(parent: Command, name: string): Command {
  return parent.commands.find((child) => child.name() === name) ?? parent.error(`error: unknown command '${name}'`);
}

/** After a mistyped command line, each command names its own help. */
function hintAtHelp(command: Command, name: string): void {
  command.showHelpAfterError(`(${name} --help shows what there is)`);
  for (const child of command.commands) hintAtHelp(child, `${name} ${child.name()}`);
}

function outputOption(): Option {
  return new Option('-o, --output <format>', 'for people or for programs').choices(['text', 'json']).default('text');
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError('expected a number from 1 to 65535');
}

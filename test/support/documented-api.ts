import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { acceptsConnections } from './accepts-connections.ts';
import { startProgram } from './child-process.ts';
import { type DevelopmentServer, startDevelopmentServer } from './development-server.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { repositoryRoot } from './repository-root.ts';
import { runProgram } from './run-program.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** The APIs of docs/verify-tokens.md, in front of the development server. */

const page = readFileSync(join(repositoryRoot, 'docs/verify-tokens.md'), 'utf8');
const examples = new Map(
  [...page.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm)].map(([, file = '', code = '']) => [file, code]),
);

export interface ApiOptions {
  /** Files of the page. */
  readonly files: readonly string[];
  /** Prepares the folder with the files, and returns the command that runs the API there. */
  readonly prepare: (folder: string, port: number) => Promise<readonly [command: string, ...args: string[]]>;
  /** How a request carries the certificate. Default: in the handshake. */
  readonly forwards?: 'in a header';
}

export interface TokenIssuer extends DevelopmentServer {
  readonly folder: string;
}

/** The development server, in which `mtls.tb` has another audience. */
export async function startTokenIssuer(): Promise<TokenIssuer> {
  const folder = temporaryDirectory();
  const port = await freePort();
  await (await startDevelopmentServer(folder, port)).stop();
  const file = join(folder, '.countersign/clients.yaml');
  const records = readFileSync(file, 'utf8');
  const audience = 'audience: https://api.example';
  const last = records.lastIndexOf(audience);
  writeFileSync(
    file,
    `${records.slice(0, last)}audience: https://other.example${records.slice(last + audience.length)}`,
  );
  return { ...(await startDevelopmentServer(folder, port)), folder };
}

/** Runs an API, and requires that it accepts a bound token for it with the certificate of the client, and nothing else. */
export async function expectBindingIsChecked(issuer: TokenIssuer, options: ApiOptions): Promise<void> {
  const api = await startApi(issuer, options);
  const requestToken = async (clientId: string) => {
    const { stdout } = await runProgram('sh', ['-c', `${issuer.commands[clientId]} -sS`], { cwd: issuer.folder });
    return String(JSON.parse(stdout.toString()).access_token);
  };
  try {
    const token = await requestToken('mtls.client');
    expect(await api.get(token, 'client')).toEqual([200, { client: 'mtls.client' }]);
    const [header, payload, signature = ''] = token.split('.');
    const altered = [header, payload, signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`];
    const rejected = [401, { error: 'invalid_token' }];
    expect(await api.get(token, 'self-signed')).toEqual(rejected);
    expect(await api.get(token, undefined)).toEqual(rejected);
    expect(await api.get(undefined, 'client')).toEqual(rejected);
    expect(await api.get(altered.join('.'), 'client')).toEqual(rejected);
    expect(await api.get(await requestToken('mtls.tb'), 'self-signed')).toEqual(rejected);
  } finally {
    await api.stop();
  }
}

async function startApi({ folder, port: issuerPort }: TokenIssuer, { files, prepare, forwards }: ApiOptions) {
  const port = await freePort();
  const directory = temporaryDirectory();
  for (const file of files) {
    const code = examples.get(file);
    if (code === undefined) throw new Error(`docs/verify-tokens.md has no ${file}`);
    const adapted = code
      .replaceAll('https://auth.example', `https://localhost:${issuerPort}`)
      .replaceAll('8444', String(port));
    writeFileSync(join(directory, file), adapted);
  }
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  symlinkSync(join(repositoryRoot, 'node_modules'), join(directory, 'node_modules'));
  const certificates = join(folder, '.countersign');
  for (const [link, file] of [
    ['api.pem', 'server.pem'],
    ['api-key.pem', 'server-key.pem'],
  ] as const) {
    symlinkSync(join(certificates, file), join(directory, link));
  }
  const ca = join(certificates, 'ca.pem');
  const [command, ...args] = await prepare(directory, port);
  const program = startProgram(command, args, { cwd: directory, env: { NODE_EXTRA_CA_CERTS: ca, SSL_CERT_FILE: ca } });
  const output = () => `${program.stdout()}${program.stderr()}`;
  const accepts = () => acceptsConnections({ host: '127.0.0.1', port });
  await eventually(async () => program.hasExited() || (await accepts()), output, 30_000);
  if (program.hasExited()) throw new Error(output());
  const get = async (token: string | undefined, client: string | undefined) => {
    const url = `${forwards ? 'http' : 'https'}://localhost:${port}/orders`;
    const authorization = token === undefined ? [] : ['-H', `Authorization: Bearer ${token}`];
    const certificate = client === undefined ? [] : presented(join(certificates, client), forwards);
    const curl = ['-sS', '--cacert', ca, '-w', '\n%{http_code}', ...authorization, ...certificate, url];
    const { stdout, stderr } = await runProgram('curl', curl);
    const [body = '', status] = stdout
      .toString()
      .trim()
      .split(/\n(?=\d+$)/);
    if (Number(status) === 0) throw new Error(`${stderr}${output()}`);
    return [Number(status), JSON.parse(body)];
  };
  return { get, stop: program.stop };
}

function presented(file: string, forwards: ApiOptions['forwards']): readonly string[] {
  if (!forwards) return ['--cert', `${file}.pem`, '--key', `${file}-key.pem`];
  return ['-H', `X-SSL-Client-Cert: ${encodeURIComponent(readFileSync(`${file}.pem`, 'utf8'))}`];
}

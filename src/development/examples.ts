import { isAbsolute, join, relative } from 'node:path';
import type { Client } from '../clients/client.ts';
import type { Resource } from '../resources/resource.ts';
import type { Workspace } from './workspace.ts';

/** A command to paste into a shell. */
export interface Example {
  readonly title: string;
  readonly command: string;
}

const seedClients = [
  { clientId: 'mtls.client', files: 'client', identifiedBy: 'its subject in a certificate of the CA' },
  { clientId: 'mtls.tb', files: 'self-signed', identifiedBy: 'its self-signed certificate' },
] as const;

/** What can be tried with the clients and resources of a new workspace that are still registered. */
export function examplesFor(
  port: number,
  { folder }: Workspace,
  records: { readonly clients: readonly Client[]; readonly resources: readonly Resource[] },
): readonly Example[] {
  const registered = new Set(records.clients.map(({ clientId }) => clientId));
  const tokens = seedClients
    .filter(({ clientId }) => registered.has(clientId))
    .map(({ clientId, files, identifiedBy }) => {
      const form = `-d grant_type=client_credentials -d client_id=${clientId} -d scope=api1`;
      const command = `curl ${certificateOptions(folder, files)} https://localhost:${port}/token ${form}`;
      return { title: `${clientId}, identified by ${identifiedBy}:`, command };
    });
  if (!records.resources.some(({ name }) => name === 'api')) return tokens;
  const command = `curl ${certificateOptions(folder, 'client')} https://localhost:${port}/api/orders`;
  return [...tokens, { title: 'An API behind the edge, which receives a token:', command }];
}

/**
 * How to run the doctor against this server.
 *
 * @param countersign how the command was started: by itself, or with `npx`, which would fetch another package of this
 *   name outside of a clone
 */
export function doctorExample(port: number, { folder }: Workspace, operations: string, countersign: string): Example {
  const certificate = certificateOptions(folder, 'client');
  const command = `${countersign} doctor --url https://localhost:${port} ${certificate} --operations ${operations}`;
  return { title: 'Check that spoofed certificate headers are rejected:', command };
}

/** Options of both curl and the doctor. */
function certificateOptions(folder: string, files: string): string {
  const path = (name: string) => shellQuote(displayPath(join(folder, name)));
  return `--cacert ${path('ca.pem')} --cert ${path(`${files}.pem`)} --key ${path(`${files}-key.pem`)}`;
}

/** Relative to the current folder if it is below it. */
export function displayPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere;
}

export function shellQuote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

import { readdirSync, readFileSync } from 'node:fs';
import type { NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { repositoryRoot } from './repository-root.ts';

export interface ShippedOptions {
  /** Texts that stand in the shipped files, and what a test needs in their place: ports and paths. */
  readonly replace: readonly (readonly [from: string, to: string])[];
}

/**
 * The files of the repository's `nginx/` folder by relative path, with every replacement made wherever it occurs.
 * @throws {Error} naming a replacement that occurs nowhere: the test would not run the intended configuration
 */
export function shippedConfiguration({ replace }: ShippedOptions): Record<string, string> {
  const files = readFolder(join(repositoryRoot, 'nginx'));
  for (const [from, to] of replace) {
    const holders = Object.entries(files).filter(([, text]) => text.includes(from));
    if (holders.length === 0) throw new Error(`nginx/ does not contain ${JSON.stringify(from)}`);
    for (const [name, text] of holders) files[name] = text.replaceAll(from, () => to);
  }
  return files;
}

/** What makes the shipped servers listen on a port of the loopback interface. */
export function listenOnLoopback(port: number): ShippedOptions['replace'] {
  return [
    ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
    ['listen [::]:443 ssl', `listen [::1]:${port} ssl`],
  ];
}

/** A main configuration around what stands inside `http { }`. */
export function wholeConfiguration(http: string): string {
  return `worker_processes 1;\nevents { worker_connections 256; }\nhttp {\n${http}\n}\n`;
}

const temporaryPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path`);

/**
 * The same configuration, with what nginx was compiled to take from /var and /run taken from the prefix instead; a
 * directive that the configuration has itself stays. As root the workers stay root, to reach sockets and files in a
 * test's folder, which no other user may enter.
 */
export function runnableConfiguration(configuration: string): string {
  const isRoot = process.getuid?.() === 0;
  const main = [
    ...unlessThere(configuration, 'daemon', 'off'),
    ...unlessThere(configuration, 'pid', 'nginx.pid'),
    ...unlessThere(configuration, 'error_log', 'stderr'),
    ...(isRoot ? unlessThere(configuration, 'user', 'root') : []),
  ];
  const http = [
    ...temporaryPaths.flatMap((name) => unlessThere(configuration, name, `temp/${name}`)),
    ...unlessThere(configuration, 'access_log', 'off'),
  ];
  // On lines that are there already, so that the line numbers in nginx' complaints stay right.
  const withHttp = configuration.replace(/^[ \t]*http\s*\{/m, (start) => `${start} ${http.join(' ')}`);
  return `${main.join(' ')} ${withHttp}`;
}

/** Where the `listen` directives of a configuration (as `nginx -T` prints it) will accept connections. */
export function listenAddresses(configuration: string): NetConnectOpts[] {
  const listens = configuration.matchAll(/(?:^|[;{}])\s*listen\s+([^\s;]+)([^;]*);/gm);
  const overTcp = [...listens].filter(([, , parameters = '']) => !/\b(udp|quic)\b/.test(parameters));
  return overTcp.map(([, address = '']) => parseAddress(address));
}

function parseAddress(address: string): NetConnectOpts {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const [, host = '*', port = '80'] = /^(?:(.*):)?(\d+)$/.exec(address) ?? [];
  const loopback: Record<string, string> = { '*': '127.0.0.1', '0.0.0.0': '127.0.0.1', '[::]': '::1' };
  return { host: loopback[host] ?? host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function unlessThere(configuration: string, name: string, value: string): string[] {
  const isThere = new RegExp(`(?:^|[;{}])\\s*${name}\\s`, 'm').test(configuration);
  return isThere ? [] : [`${name} ${value};`];
}

function readFolder(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]));
}

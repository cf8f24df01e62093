import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileErrorReason } from '../errors/file-error.ts';
import type { ListenAddress } from './listen-address.ts';

/** Why an address cannot be bound, as a sentence with its fix. */
export function explainListenError(error: NodeJS.ErrnoException, address: ListenAddress): string {
  const { code = '' } = error;
  const location = address.kind === 'unix' ? address.path : `${address.host}:${address.port}`;
  const reason =
    (address.kind === 'unix' ? socketReason(code, address.path) : portReason(code, address)) ?? reasons[code];
  return `cannot listen on ${location}: ${reason ?? fileErrorReason(error)}`;
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program is listening there',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the name server does not respond',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  ENOENT: 'the folder of the socket does not exist',
};

function socketReason(code: string, path: string): string | undefined {
  if (code === 'EACCES') return explainNoAccess(dirname(path));
  return code === 'EINVAL' ? 'the socket path is too long (more than 107 bytes)' : undefined;
}

function portReason(
  code: string,
  { host, port }: { readonly host: string; readonly port: number },
): string | undefined {
  if (code === 'EACCES') return port < 1024 ? 'this user may not use ports below 1024' : 'permission denied';
  if (code === 'EAFNOSUPPORT') return `this machine does not support IPv${host.includes(':') ? 6 : 4}`;
  // The only ones that need a zone (fe80::1%eth0), which the setting cannot state.
  return code === 'EINVAL' && /^fe[89ab]/i.test(host) ? 'link-local addresses are not supported' : undefined;
}

/** Node reports EACCES even if the folder does not exist. */
function explainNoAccess(folder: string): string {
  return existsSync(folder) ? `this user has no write permission for ${folder}` : `the folder ${folder} does not exist`;
}

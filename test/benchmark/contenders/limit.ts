import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { type Contender, runningServer, untilItAccepts } from './contender.ts';
import { startPinned } from './pinned-process.ts';

/** What bounds the cost of a token from below: servers that do nothing but parse the form and sign. */
export const limits = {
  A: limit('limit A', 'bare-node.ts'),
  B: limit('limit B', 'bare-hono.ts', 'jose'),
  C: limit('limit C', 'bare-hono.ts', 'ours'),
} as const satisfies Record<string, Contender>;

function limit(name: string, file: string, ...signer: readonly string[]): Contender {
  const program = join(import.meta.dirname, 'servers', file);
  return {
    name,
    start: async ({ cores, signingKeyFile, algorithm }) => {
      const port = await freePort();
      const args = [program, String(port), signingKeyFile, algorithm, ...signer];
      const server = startPinned(process.execPath, args, { core: cores.contender });
      const address = { host: '127.0.0.1', port };
      await untilItAccepts(name, address, server);
      return runningServer(name, address, server);
    },
  };
}

import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { type Contender, runningServer, untilItAccepts } from './contender.ts';
import { startPinned } from './pinned-process.ts';

/** A general OpenID provider for Node. `installLibraries` must have installed it. */
export const oidcProvider: Contender = {
  name: 'oidc-provider',
  start: async ({ cores, signingKeyFile, algorithm, clientsFile }) => {
    const address = { host: '127.0.0.1', port: await freePort() };
    const program = join(import.meta.dirname, 'servers/oidc-provider.ts');
    const args = [program, String(address.port), signingKeyFile, algorithm, clientsFile];
    const server = startPinned(process.execPath, args, { core: cores.contender });
    await untilItAccepts('oidc-provider', address, server);
    return runningServer('oidc-provider', address, server);
  },
};

import { freePort } from '../../support/free-port.ts';
import { findProgram } from '../../support/programs.ts';
import { secretRequest } from '../load/token-request.ts';
import { type Contender, requireSuccess, runningServer, untilItAccepts } from './contender.ts';
import { startPinned } from './pinned-process.ts';

const CLIENT = { id: 'device', secret: 'only-for-the-benchmark' };

/**
 * Ory Hydra with its defaults, in memory. It has no `tls_client_auth`, so the client has a secret, and its tokens are not
 * bound to a certificate.
 */
export const hydra = {
  /** The contender, or why it cannot be measured. */
  find: (): Contender | string => {
    const program = findProgram('hydra');
    return program === undefined
      ? 'hydra is not measured: there is no program "hydra" on the PATH'
      : contender(program);
  },
};

function contender(program: string): Contender {
  const name = 'hydra (secret)';
  return {
    name,
    algorithms: ['RS256'],
    start: async ({ cores, directory }) => {
      const address = { host: '127.0.0.1', port: await freePort() };
      const admin = { host: '127.0.0.1', port: await freePort() };
      const server = startPinned(program, ['serve', 'all', '--dev'], {
        core: cores.contender,
        cwd: directory,
        env: {
          DSN: 'memory',
          LOG_LEVEL: 'error',
          SECRETS_SYSTEM: 'a-secret-only-for-the-benchmark',
          SERVE_ADMIN_HOST: admin.host,
          SERVE_ADMIN_PORT: String(admin.port),
          SERVE_PUBLIC_HOST: address.host,
          SERVE_PUBLIC_PORT: String(address.port),
          SQA_OPT_OUT: 'true',
          STRATEGIES_ACCESS_TOKEN: 'jwt',
          URLS_SELF_ISSUER: `http://${address.host}:${address.port}`,
        },
      });
      await untilItAccepts(name, admin, server);
      await untilItAccepts(name, address, server);
      await register(`http://${admin.host}:${admin.port}/admin/clients`);
      return { ...runningServer(name, address, server), request: secretRequest('/oauth2/token', CLIENT) };
    },
  };
}

async function register(url: string): Promise<void> {
  const client = {
    client_id: CLIENT.id,
    client_secret: CLIENT.secret,
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'client_secret_post',
  };
  const headers = { 'content-type': 'application/json' };
  await requireSuccess('hydra', fetch(url, { method: 'POST', headers, body: JSON.stringify(client) }));
}

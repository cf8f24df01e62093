import { freePort } from '../../support/free-port.ts';
import { findProgram } from '../../support/programs.ts';
import { secretRequest } from '../load/token-request.ts';
import { processTree } from '../measure/cpu-time.ts';
import { type Contender, requireSuccess, runningServer, untilItAccepts } from './contender.ts';
import { startPinned } from './pinned-process.ts';

const CLIENT = { id: 'device', secret: 'only-for-the-benchmark' };
const ADMIN = { username: 'admin', password: 'only-for-the-benchmark' };

/** Keycloak in development mode, in memory. Its client has a secret: mutual TLS needs its own TLS listener. */
export const keycloak = {
  /** The contender, or why it cannot be measured. */
  find: (): Contender | string => {
    const program = findProgram('kc.sh');
    return program === undefined
      ? 'keycloak is not measured: there is no program "kc.sh" on the PATH'
      : contender(program);
  },
};

function contender(program: string): Contender {
  const name = 'keycloak (secret)';
  return {
    name,
    algorithms: ['RS256'],
    start: async ({ cores }) => {
      const address = { host: '127.0.0.1', port: await freePort() };
      const listen = [`--http-host=${address.host}`, `--http-port=${address.port}`];
      const server = startPinned(program, ['start-dev', '--db=dev-mem', '--log-level=error', ...listen], {
        core: cores.contender,
        env: { KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.username, KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password },
      });
      await untilItAccepts(name, address, server);
      await register(`http://${address.host}:${address.port}`);
      const request = secretRequest('/realms/master/protocol/openid-connect/token', CLIENT);
      return {
        ...runningServer(name, address, server),
        pids: processTree(server.pid),
        request,
        warmUpRequests: 20_000,
      };
    },
  };
}

async function register(url: string): Promise<void> {
  const credentials = new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', ...ADMIN });
  const tokenUrl = `${url}/realms/master/protocol/openid-connect/token`;
  const response = await requireSuccess('keycloak', fetch(tokenUrl, { method: 'POST', body: credentials }));
  // Safe: a token response (RFC 6749 §5.1).
  const { access_token: accessToken } = (await response.json()) as { access_token: string };
  const client = {
    clientId: CLIENT.id,
    secret: CLIENT.secret,
    serviceAccountsEnabled: true,
    standardFlowEnabled: false,
  };
  const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(client) };
  await requireSuccess('keycloak', fetch(`${url}/admin/realms/master/clients`, init));
}

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSigningKey } from '../../../src/tokens/signing-key.ts';
import { freePort } from '../../support/free-port.ts';
import { sendRaw } from '../../support/raw-http.ts';
import { checkRequest } from '../load/check-request.ts';
import { tokenRequest } from '../load/token-request.ts';
import type { Tree } from '../tree.ts';
import { type Contender, type PortAddress, runningServer, untilItAccepts, type Workload } from './contender.ts';
import { startPinned } from './pinned-process.ts';
import { serveSettings } from './serve.ts';
import { exampleClaims } from './servers/issued-token.ts';

/** The route of the checks: their token is minted once, or presented with each of them. */
export type CheckKind = 'mint' | 'verify';

const RESOURCE = { name: 'api', resource: 'https://api.example', scope: 'read write', binding: 'caller' };

/** The edge of `countersign serve`, with one resource. Repeated checks have no audit event. */
export function edge(tree: Tree, kind: CheckKind): Contender {
  const name = `edge, file${tree.revision && ` (${tree.revision})`}`;
  return {
    name,
    start: async (workload) => {
      const address = { host: '127.0.0.1', port: await freePort() };
      const edgeAddress = { host: '127.0.0.1', port: await freePort() };
      const server = startPinned(tree.node, [tree.program, 'serve'], {
        core: workload.cores.contender,
        env: {
          ...serveSettings(workload, address.port),
          COUNTERSIGN_EDGE_LISTEN: `${edgeAddress.host}:${edgeAddress.port}`,
          COUNTERSIGN_CLIENTS_FILE: writeRecords(workload),
        },
      });
      // The public listener is the last one.
      await untilItAccepts(name, address, server);
      const token = kind === 'verify' ? await requestToken(address, workload) : undefined;
      const request = checkRequest(`/edge/${kind}/${RESOURCE.name}`, workload.clientCertificate, token);
      return { ...runningServer(name, edgeAddress, server), request };
    },
  };
}

/** The records of the case, with the audience and the resource that checks require. */
function writeRecords({ directory, clientsFile }: Workload): string {
  // Safe: `prepare` wrote it.
  const clients = JSON.parse(readFileSync(clientsFile, 'utf8')) as object[];
  const file = join(mkdtempSync(join(directory, 'edge-')), 'records.json');
  const records = clients.map((client) => ({ ...client, audience: RESOURCE.resource }));
  writeFileSync(file, JSON.stringify([...records, { ...RESOURCE, forward: 'original' }]));
  return file;
}

async function requestToken({ host, port }: PortAddress, workload: Workload): Promise<string> {
  const request = tokenRequest(workload.firstClientId, workload.clientCertificate);
  const response = await sendRaw(`http://${host}:${port}`, request);
  return String(response.json().access_token);
}

/** What bounds the cost of a check from below in Hono: a handler that responds with a constant header. */
export function bareHonoFor(kind: CheckKind): Contender {
  return {
    name: 'bare Hono',
    start: async ({ cores, directory, signingKeyFile, algorithm, firstClientId, clientCertificate }) => {
      const address = { host: '127.0.0.1', port: await freePort() };
      const key = await readSigningKey(readFileSync(signingKeyFile, 'utf8'), algorithm);
      const claims = { ...exampleClaims(new URLSearchParams({ client_id: firstClientId })), aud: RESOURCE.resource };
      const token = await key.sign(claims);
      const headerFile = join(mkdtempSync(join(directory, 'bare-')), 'header.json');
      const header = {
        authorization: `Bearer ${token}`,
        'x-countersign-client-id': firstClientId,
        'x-countersign-subject': firstClientId,
        'x-countersign-scope': claims.scope,
        'x-countersign-audience': claims.aud,
        'x-countersign-expires': String(claims.exp),
      };
      writeFileSync(headerFile, JSON.stringify(header));
      const program = join(import.meta.dirname, 'servers/bare-approval.ts');
      const server = startPinned(process.execPath, [program, String(address.port), headerFile], {
        core: cores.contender,
      });
      await untilItAccepts('bare Hono', address, server);
      const request = checkRequest(
        `/edge/${kind}/${RESOURCE.name}`,
        clientCertificate,
        kind === 'verify' ? token : undefined,
      );
      return { ...runningServer('bare Hono', address, server), request };
    },
  };
}

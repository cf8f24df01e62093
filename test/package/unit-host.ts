import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acceptsConnections } from '../support/accepts-connections.ts';
import { createTestCa, type MintedCertificate } from '../support/certificates.ts';
import { mtlsHost, plainHost } from '../support/deployment.ts';
import { freePort } from '../support/free-port.ts';
import { type RunningNginx, startNginx } from '../support/nginx.ts';
import { listenOnLoopback, shippedConfiguration } from '../support/nginx-configuration.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { type Replacements, shippedFile } from '../support/shipped-text.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The numbers of the replicas, instances of `countersign@.service`. */
export const replicas = [1, 2] as const;
export type Replica = (typeof replicas)[number];

/** What the units find on their host: the files below /etc and /run are in a folder, and nginx runs in front of them. */
export interface UnitHost {
  /** Contains `etc/countersign` and `run`. */
  readonly root: string;
  /** Of nginx. */
  readonly port: number;
  /** The settings of commands for the same Redis. */
  readonly settings: Readonly<Record<string, string>>;
  readonly serverCa: string;
  readonly client: MintedCertificate;
  /** What differs from the shipped units, so that several test runs do not disturb each other. */
  readonly replace: Replacements;
  readonly socketOf: (replica: Replica) => string;
  /** The URL of its operations listener. */
  readonly operationsOf: (replica: Replica) => string;
  readonly startNginx: () => Promise<RunningNginx>;
}

/** Writes the files that the first lines of `countersign.service` list. */
export async function prepareHost(): Promise<UnitHost> {
  const root = temporaryDirectory();
  const port = await freePort();
  const operations = await freeDecade();
  const prefix = keyPrefix();
  const clientCa = createTestCa({ subject: [['CN', 'Client CA']] });
  const serverCa = createTestCa({ subject: [['CN', 'Server CA']] });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const etc = join(root, 'etc/countersign');
  for (const folder of [etc, join(root, 'run'), join(root, 'nginx')])
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  const write = (name: string, content: string, mode: number) => writeFileSync(join(etc, name), content, { mode });
  write('signing-key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
  write('redis-url', `${redisUrl()}\n`, 0o600);
  write('client-ca.pem', clientCa.pem, 0o644);
  const hosts = [[plainHost, `${plainHost}:${port}`]] as const;
  // A busy machine needs more time than the default.
  const more = `COUNTERSIGN_REDIS_KEY_PREFIX=${prefix}\nCOUNTERSIGN_REDIS_TIMEOUT=2s\n`;
  write('countersign.env', `${shippedFile('deploy/systemd/countersign.env', hosts)}${more}`, 0o644);
  for (const host of [plainHost, mtlsHost])
    serverCa.issue({ eku: 'server', dns: [host] }).writeTo(join(root, 'nginx'), host);
  clientCa.writeTo(join(root, 'nginx'), 'client-ca');
  return {
    root,
    port,
    settings: { COUNTERSIGN_REDIS_URL: redisUrl(), COUNTERSIGN_REDIS_KEY_PREFIX: prefix },
    serverCa: serverCa.pem,
    client: clientCa.issue({ dns: ['billing.example'] }),
    replace: [['127.0.0.1:909', `127.0.0.1:${operations}`]],
    socketOf: (replica) => join(root, 'run/countersign', String(replica), 'countersign.sock'),
    operationsOf: (replica) => `http://127.0.0.1:${operations}${replica}`,
    startNginx: () => startBalancingNginx(root, port),
  };
}

/** The first digits of ports of which those that end with the number of a replica are free. */
async function freeDecade(): Promise<number> {
  for (;;) {
    const decade = Math.floor((await freePort()) / 10);
    const used = replicas.map((replica) => acceptsConnections({ host: '127.0.0.1', port: decade * 10 + replica }));
    if (!(await Promise.all(used)).includes(true)) return decade;
  }
}

/** nginx as shipped, with the changes that docs/operate.md describes for several replicas. */
function startBalancingNginx(root: string, port: number): Promise<RunningNginx> {
  const directory = join(root, 'nginx');
  const forward = 'include /etc/nginx/countersign/forward-to-countersign.conf;';
  const files = shippedConfiguration({
    replace: [
      [SHIPPED_UPSTREAM, documented('upstream countersign {')],
      [forward, `${forward}\n${documented('proxy_next_upstream ')}`],
      ...listenOnLoopback(port),
      ['/etc/nginx/countersign/', `${directory}/`],
      ['/var/log/nginx/', `${directory}/`],
      ['unix:/run/', `unix:${root}/run/`],
    ],
  });
  return startNginx({ http: `include ${join(directory, 'countersign.conf')};`, prefix: directory, files });
}

const SHIPPED_UPSTREAM = `upstream countersign {
    server unix:/run/countersign/countersign.sock;
    keepalive 32;
}
`;

const operate = readFileSync(join(repositoryRoot, 'docs/operate.md'), 'utf8');

/** The block of nginx in docs/operate.md that contains this text. */
function documented(content: string): string {
  const blocks = [...operate.matchAll(/^```nginx\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
  const [found, ...others] = blocks.filter((text) => text.includes(content));
  if (found === undefined || others.length > 0) throw new Error(`not one block of docs/operate.md contains ${content}`);
  return found;
}

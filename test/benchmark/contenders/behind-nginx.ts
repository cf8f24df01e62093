import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { createTestCa, type MintedCertificate } from '../../support/certificates.ts';
import { freePort } from '../../support/free-port.ts';
import {
  listenOnLoopback,
  runnableConfiguration,
  shippedConfiguration,
  wholeConfiguration,
} from '../../support/nginx-configuration.ts';
import { findProgram, missingProgram } from '../../support/programs.ts';
import { processTree } from '../measure/cpu-time.ts';
import { type Contender, type RunningContender, untilItAccepts, type Workload } from './contender.ts';
import { startPinned } from './pinned-process.ts';

const HOST = 'mtls.auth.example';

/**
 * The same contender behind nginx with the shipped configuration, which terminates mutual TLS. nginx has the core of the
 * load generator; its CPU time is reported, but does not count as the contender's.
 */
export function behindNginx({ name, start }: Contender): Contender {
  return {
    name,
    start: async (workload) => {
      const contender = await start(workload);
      const nginx = await startNginx(contender, workload);
      const stop = async () => {
        await nginx.stop();
        await contender.stop();
      };
      return { ...contender, connect: nginx.connect, terminatorPids: nginx.pids, stop };
    },
  };
}

async function startNginx({ port }: RunningContender, workload: Workload) {
  const program = findProgram('nginx');
  if (program === undefined) throw new Error(missingProgram('nginx'));
  const address = { host: '127.0.0.1', port: await freePort() };
  const prefix = mkdtempSync(join(workload.directory, 'nginx-'));
  const serverCa = createTestCa();
  writeConfiguration(
    prefix,
    address.port,
    port,
    workload,
    serverCa.issue({ dns: [HOST, 'auth.example'], eku: 'server' }),
  );
  const args = ['-p', prefix, '-c', join(prefix, 'nginx.conf'), '-e', 'stderr'];
  const nginx = startPinned(program, args, { core: workload.cores.load });
  await untilItAccepts('nginx', address, nginx);
  const { pem: cert, privateKeyPem: key } = workload.clientCertificate;
  const tls = { ...address, servername: HOST, ca: serverCa.pem, cert, key };
  return { connect: () => connect(tls), pids: processTree(nginx.pid), stop: nginx.stop };
}

function writeConfiguration(
  prefix: string,
  port: number,
  upstream: number,
  { clientCaFile }: Workload,
  server: MintedCertificate,
) {
  const files = shippedConfiguration({
    replace: [
      ...listenOnLoopback(port),
      ['/etc/nginx/countersign/client-ca.pem', clientCaFile],
      ['/etc/nginx/countersign/', `${prefix}/`],
      ['/var/log/nginx/', `${prefix}/`],
      ['unix:/run/countersign/countersign.sock', `127.0.0.1:${upstream}`],
    ],
  });
  mkdirSync(join(prefix, 'temp'));
  for (const name of [HOST, 'auth.example']) server.writeTo(prefix, name);
  const main = runnableConfiguration(wholeConfiguration(`include ${join(prefix, 'countersign.conf')};`));
  for (const [name, content] of Object.entries({ ...files, 'nginx.conf': main }))
    writeFileSync(join(prefix, name), content);
}

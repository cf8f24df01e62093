import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCa, thumbprintOf } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { type EdgeDeployment, startEdgeDeployment } from '../support/edge-deployment.ts';
import { edgeRecords, withRecord } from '../support/edge-records.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const internalCa = createTestCa({ subject: [['CN', 'Internal CA']] });
const proxy = internalCa.issue({ subject: [['CN', 'proxy']] });
const server = internalCa.issue({ eku: 'server', dns: ['api.internal.example'] });

/** Responds with the token that it received, and the thumbprint of the certificate that Envoy presented. */
const api = createServer(
  { cert: server.pem, key: server.privateKeyPem, ca: internalCa.pem, requestCert: true, rejectUnauthorized: true },
  (request, response) => {
    const socket = request.socket as TLSSocket; // Safe: the server requires TLS.
    const thumbprint = thumbprintOf(socket.getPeerCertificate().raw);
    response.end(JSON.stringify({ token: request.headers.authorization?.replace('Bearer ', ''), thumbprint }));
  },
);

describeWith(['envoy'], 'a resource with "binding: proxy" behind the shipped Envoy', () => {
  let deployment: EdgeDeployment;
  beforeAll(async () => {
    await new Promise<void>((resolve) => void api.listen(0, '127.0.0.1', resolve));
    const { port } = api.address() as AddressInfo; // Safe: the server listens on TCP.
    deployment = await startEdgeDeployment({ proxy: 'envoy', replace: mutualTls(port) });
    const fields = { binding: 'proxy', proxy_thumbprints: [proxy.thumbprint] };
    await deployment.apply(withRecord(edgeRecords, 'orders', fields));
  });
  afterAll(async () => {
    await deployment?.stop();
    await new Promise((resolve) => void api.close(resolve));
  });

  test('gets a token that is bound to the certificate of its connection, and none of the caller', async () => {
    const alpha = deployment.certificateOf('alpha');
    const response = await deployment.send({ path: '/orders/' }, alpha);
    const { token, thumbprint } = response.json();
    const claims = await deployment.verify(String(token), 'https://orders.example');
    expect(thumbprint).toBe(proxy.thumbprint);
    expect(claims).toMatchObject({ sub: 'alpha', cnf: { 'x5t#S256': thumbprint } });
  });
});

/** Uncomments what the shipped file has for this, with the files of this test, and the address of the API. */
function mutualTls(port: number): (readonly [string, string])[] {
  const directory = temporaryDirectory();
  proxy.writeTo(directory, 'proxy');
  internalCa.writeTo(directory, 'internal-ca');
  const shipped = readFileSync(join(repositoryRoot, 'deploy/edge/envoy.yaml'), 'utf8');
  const [commented = ''] = /^ {4}# transport_socket:\n(?: {4}# .*\n)+/m.exec(shipped) ?? [];
  const transportSocket = commented.replaceAll('    # ', '    ').replaceAll('/etc/envoy/countersign', directory);
  const address = 'socket_address: { address: 127.0.0.1, port_value: 8080 }';
  return [
    [commented, transportSocket],
    // The old address remains for the replacement that every deployment makes.
    [address, `${address.replace('8080', String(port))} # ${address}`],
  ];
}

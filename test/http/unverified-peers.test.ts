import { connect, createServer, type Server, TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { httpsOptions } from '../../src/http/tls.ts';
import { keepUnverifiedPeers } from '../../src/http/unverified-peers.ts';
import { createTestCa } from '../support/certificates.ts';

/** What `src/http/unverified-peers.ts` relies on without a promise of Node. */
test('a TLS connection of Node has the private members that keep unverified peers', async () => {
  expect(TLSSocket.prototype).toHaveProperty('_init', expect.any(Function));
  const { pem, privateKeyPem } = createTestCa();
  const options = { certificatePem: pem, privateKeyPem, peerCaCertificates: [pem] };
  const server: Server = createServer(httpsOptions(options));
  keepUnverifiedPeers(server);
  const accepted = new Promise<TLSSocket>((resolve) => server.once('secureConnection', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
  const client = connect({ port: address.port, rejectUnauthorized: false });
  onTestFinished(() => void client.destroy());
  const socket = await accepted;
  expect(socket).toHaveProperty('server', server);
  expect(socket).toHaveProperty('_handle.onerror', expect.any(Function));
  expect(socket).toHaveProperty('_handle.verifyError', expect.any(Function));
  socket.destroy();
});

import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { createTestCa } from './certificates.ts';
import type { RedisTls } from './redis-server.ts';

/** What a deployment over TLS needs, all of it by one CA of its own. */
export interface RedisPki {
  /** Of each server, which is at `127.0.0.1`, and asks for a certificate by the same CA. */
  readonly server: RedisTls;
  /** Of who connects to one; PEM. */
  readonly client: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** @param directory for a folder of its own */
export function mintRedisPki(directory: string): RedisPki {
  const folder = mkdtempSync(join(directory, 'tls-'));
  const ca = createTestCa({ subject: [['CN', 'Redis CA']] });
  const { cert: clientCa } = ca.writeTo(folder, 'ca');
  // Servers are each other's clients, and show the same certificate there.
  const server = ca.issue({ eku: 'client+server', ips: ['127.0.0.1'] }).writeTo(folder, 'redis');
  const client = ca.issue({ subject: [['CN', 'countersign']] });
  return {
    server: { ...server, clientCa },
    client: { ca: ca.pem, cert: client.pem, key: client.privateKeyPem },
  };
}

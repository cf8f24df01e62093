import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { createTestCa } from './certificates.ts';
import type { RedisTls } from './redis-server.ts';

/** The certificates for Redis over TLS, all issued by one CA. */
export interface RedisPki {
  /** For each server, at `127.0.0.1`, which requires a client certificate by the same CA. */
  readonly server: RedisTls;
  /** For clients; PEM. */
  readonly client: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** @param directory the parent of a new directory for the files */
export function mintRedisPki(directory: string): RedisPki {
  const folder = mkdtempSync(join(directory, 'tls-'));
  const ca = createTestCa({ subject: [['CN', 'Redis CA']] });
  const { cert: clientCa } = ca.writeTo(folder, 'ca');
  // Servers are also clients of each other, and present the same certificate.
  const server = ca.issue({ eku: 'client+server', ips: ['127.0.0.1'] }).writeTo(folder, 'redis');
  const client = ca.issue({ subject: [['CN', 'countersign']] });
  return {
    server: { ...server, clientCa },
    client: { ca: ca.pem, cert: client.pem, key: client.privateKeyPem },
  };
}

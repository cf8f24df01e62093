import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { createTestCa, type MintedCertificate, type TestCa } from './certificates.ts';
import { type RedisOptions, type RunningRedis, startRedis } from './redis-server.ts';

export interface TlsRedis extends RunningRedis {
  /** It vouches for the server at `127.0.0.1` and `localhost`, and for clients. */
  readonly ca: TestCa;
  readonly caFile: string;
  /** A certificate that the server accepts of a client, and its paths. */
  readonly client: MintedCertificate;
  readonly clientFiles: { readonly cert: string; readonly key: string };
}

export interface TlsRedisOptions extends Omit<RedisOptions, 'tls'> {
  /** Whether a client has to show a certificate. Default: no. */
  readonly clientCertificates?: boolean;
}

/** A redis-server that speaks TLS only, with a CA of its own. */
export async function startTlsRedis({ clientCertificates = false, ...options }: TlsRedisOptions): Promise<TlsRedis> {
  const folder = mkdtempSync(join(options.directory, 'tls-'));
  const ca = createTestCa({ subject: [['CN', 'Redis CA']] });
  const { cert: caFile } = ca.writeTo(folder, 'ca');
  const server = ca.issue({ eku: 'server', ips: ['127.0.0.1'], dns: ['localhost'] }).writeTo(folder, 'redis');
  const client = ca.issue({ subject: [['CN', 'countersign']] });
  const tls = { ...server, ...(clientCertificates && { clientCa: caFile }) };
  const redis = await startRedis({ ...options, tls });
  return { ...redis, ca, caFile, client, clientFiles: client.writeTo(folder, 'client') };
}

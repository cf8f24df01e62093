import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { createTestCa, type MintedCertificate, type TestCa } from './certificates.ts';
import { type RedisOptions, type RunningRedis, startRedis } from './redis-server.ts';

export interface TlsRedis extends RunningRedis {
  /** Issues the certificates of the server, for `127.0.0.1` and `localhost`, and of clients. */
  readonly ca: TestCa;
  readonly caFile: string;
  /** A client certificate that the server accepts, and the paths of its files. */
  readonly client: MintedCertificate;
  readonly clientFiles: { readonly cert: string; readonly key: string };
}

export interface TlsRedisOptions extends Omit<RedisOptions, 'tls'> {
  /** Whether client certificates are required. Default: no. */
  readonly clientCertificates?: boolean;
}

/** Starts a redis-server that requires TLS, with its own CA. */
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

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';

export interface ClientFile {
  readonly path: string;
  readonly bytesPerClient: number;
}

export function clientIdAt(index: number): string {
  return `device-${String(index).padStart(7, '0')}`;
}

/**
 * Writes client records as JSON Lines. Half of the clients are registered by subject, the others by certificate.
 *
 * @param moreScope appended to the scope of a client
 */
export async function writeClients(
  directory: string,
  size: number,
  moreScope: (index: number) => string,
): Promise<ClientFile> {
  const path = join(directory, `clients-${size}-${moreScope(0).trim()}.jsonl`);
  const stream = createWriteStream(path);
  let text = '';
  let bytes = 0;
  for (let index = 0; index < size; index += 1) {
    text += `${JSON.stringify(recordOf(index, `read write${moreScope(index)}`))}\n`;
    if (text.length < 1_000_000 && index < size - 1) continue;
    bytes += text.length;
    if (!stream.write(text)) await new Promise((resolve) => stream.once('drain', resolve));
    text = '';
  }
  stream.end();
  await finished(stream);
  return { path, bytesPerClient: Math.round(bytes / size) };
}

function recordOf(index: number, scope: string): object {
  const common = { client_id: clientIdAt(index), scope, audience: 'https://api.example' };
  if (index % 2 === 0) {
    const name = `CN=device-${index},OU=production,O=company`;
    return { ...common, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: name };
  }
  const thumbprint = createHash('sha256').update(String(index)).digest('base64url');
  const certificates = [{ thumbprint, not_after: '2030-01-31' }];
  return { ...common, token_endpoint_auth_method: 'self_signed_tls_client_auth', certificates };
}

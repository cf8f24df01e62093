const TIMEOUT_MILLISECONDS = 30_000;
/** A CRL of a million entries has about 40 MiB. */
const MAX_OCTETS = 64 * 1024 * 1024;

/**
 * Fetches a URL of the configuration; never one of a certificate.
 *
 * @throws {Error} saying why there is no answer of status 200 within 30 s and 64 MiB; redirects are not followed
 */
export async function fetchCrl(url: string, signal: AbortSignal): Promise<Uint8Array> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MILLISECONDS)]);
  try {
    const response = await fetch(url, { redirect: 'error', signal: bounded });
    if (response.status !== 200) throw new Error(`the server answered with status ${response.status}`);
    return await readBounded(response);
  } catch (error) {
    // The message of fetch itself is "fetch failed"; what failed stands behind it.
    const { message, cause } = error instanceof Error ? error : new Error(String(error));
    throw new Error(cause instanceof Error ? `${message}: ${cause.message}` : message);
  }
}

async function readBounded({ body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of body ?? []) {
    octets += chunk.length;
    if (octets > MAX_OCTETS) throw new Error(`the answer is larger than ${MAX_OCTETS} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

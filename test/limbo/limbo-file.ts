import { readFileSync } from 'node:fs';
import { z } from 'zod';

const limboCase = z.object({
  /** E.g. `rfc5280::nc::permitted-dns-match`. */
  id: z.string(),
  features: z.array(z.string()).nullish(),
  validation_kind: z.enum(['CLIENT', 'SERVER']),
  /** PEM, like all certificates here. */
  trusted_certs: z.array(z.string()),
  untrusted_intermediates: z.array(z.string()),
  peer_certificate: z.string(),
  /** ISO 8601; the current time if absent. */
  validation_time: z.string().nullish(),
  expected_result: z.enum(['SUCCESS', 'FAILURE']),
  expected_peer_name: z.object({ kind: z.string(), value: z.string() }).nullish(),
  max_chain_depth: z.number().nullish(),
  crls: z.array(z.string()).nullish(),
});

const limboFile = z.object({ version: z.literal(1), testcases: z.array(limboCase) });

/** The fields of an x509-limbo case that are used. */
export type LimboCase = z.infer<typeof limboCase>;

/**
 * Reads a file in the format of x509-limbo (`limbo.json` of C2SP/x509-limbo), version 1.
 *
 * @throws {Error} naming the location where the file does not match that format
 */
export function readLimboFile(path: string): readonly LimboCase[] {
  return limboFile.parse(JSON.parse(readFileSync(path, 'utf8'))).testcases;
}

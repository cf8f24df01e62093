import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const FILE = 'json_web_signature_test.json';

const jwk = z.looseObject({ kty: z.string(), alg: z.string().optional() });

const vector = z.object({
  tcId: z.number(),
  comment: z.string(),
  /** In compact serialization; in JSON serialization, an object. */
  jws: z.unknown(),
  result: z.enum(['valid', 'acceptable', 'invalid']),
});

const group = z.object({
  comment: z.string(),
  /** Absent for a symmetric key. */
  public: jwk.optional(),
  private: jwk,
  tests: z.array(vector),
});

const signatureFile = z.object({ schema: z.literal('json_web_signature_schema_v1.json'), testGroups: z.array(group) });

export type Vector = z.infer<typeof vector>;

/** The vectors of one key. */
export type SignatureGroup = z.infer<typeof group>;

/**
 * Reads the JSON web signature vectors of Wycheproof.
 *
 * @param folder a clone of C2SP/wycheproof, its folder testvectors_v1, or the file in it
 * @throws {Error} naming the location where the file does not match its schema
 */
export function readSignatureFile(folder: string): readonly SignatureGroup[] {
  const paths = [join(folder, 'testvectors_v1', FILE), join(folder, FILE)];
  const path = folder.endsWith('.json') ? folder : paths.find((each) => existsSync(each));
  if (path === undefined) throw new Error(`${folder} contains neither testvectors_v1/${FILE} nor ${FILE}`);
  return signatureFile.parse(JSON.parse(readFileSync(path, 'utf8'))).testGroups;
}

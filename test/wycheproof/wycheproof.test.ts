import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createJwsSigner } from '../../src/tokens/jws-signer.ts';
import { keyPair } from '../support/keys.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runSignatureGroup, type SignatureOutcome } from './run-signature-group.ts';
import { readSignatureFile } from './signature-file.ts';

const { privateKey, publicKey } = keyPair('ec-p256', { reuse: true });
const valid = await createJwsSigner('ES256', {}, privateKey)('foo');
const empty = await createJwsSigner('ES256', {}, privateKey)('');
const group = {
  comment: 'es256',
  public: { ...publicKey.export({ format: 'jwk' }), alg: 'ES256' },
  private: { ...privateKey.export({ format: 'jwk' }), alg: 'ES256' },
};

async function outcomesOf(folder: string): Promise<readonly SignatureOutcome[]> {
  const outcomes: SignatureOutcome[] = [];
  for (const each of readSignatureFile(folder)) outcomes.push(...(await runSignatureGroup(each)));
  return outcomes;
}

/** The outcome of one vector in a file of its own. */
async function outcomeOf(changes: object, jws: unknown, result: string): Promise<SignatureOutcome | undefined> {
  const folder = temporaryDirectory();
  const tests = [{ tcId: 1, comment: 'vector', jws, result, flags: [] }];
  const file = { schema: 'json_web_signature_schema_v1.json', testGroups: [{ ...group, ...changes, tests }] };
  writeFileSync(join(folder, 'json_web_signature_test.json'), JSON.stringify(file));
  const [outcome] = await outcomesOf(folder);
  return outcome;
}

describe('the outcome of a JSON web signature vector', () => {
  const symmetric = { public: undefined, private: { kty: 'oct', alg: 'HS256', k: 'AAAA' } };
  const forEncryption = { private: { ...group.private, use: 'enc' } };
  test.each<[string, object, unknown, string, SignatureOutcome['kind']]>([
    ['that is valid', {}, valid, 'valid', 'agreement'],
    ['that is invalid, and not', {}, valid, 'invalid', 'wrong acceptance'],
    ['that is valid, and not', {}, `${valid.slice(0, -4)}AAAA`, 'valid', 'wrong rejection'],
    ['with a modified signature', {}, `${valid.slice(0, -4)}AAAA`, 'invalid', 'agreement'],
    ['with padding', {}, `${valid}==`, 'invalid', 'agreement'],
    ['without a payload', {}, empty, 'valid', 'out of scope'],
    ['in JSON serialization', {}, { payload: 'Zm9v' }, 'invalid', 'agreement'],
    ['with a symmetric key', symmetric, valid, 'valid', 'out of scope'],
    ['with a symmetric key, and invalid', symmetric, valid, 'invalid', 'agreement'],
    ['with a key for encryption', forEncryption, valid, 'invalid', 'agreement'],
  ])('%s', async (_, changes, jws, result, kind) => {
    expect(await outcomeOf(changes, jws, result)).toMatchObject({ kind });
  });

  test('is missing if the folder has no such file', () => {
    expect(() => readSignatureFile(temporaryDirectory())).toThrow('contains neither testvectors_v1/json_web_signature');
  });
});

const folder = process.env.COUNTERSIGN_WYCHEPROOF;
if (!folder) {
  console.warn(
    'skipped: set COUNTERSIGN_WYCHEPROOF to a clone of https://github.com/C2SP/wycheproof to verify its vectors',
  );
}

test.skipIf(!folder)("Wycheproof's JSON web signature vectors are accepted and rejected as expected", async () => {
  const outcomes = await outcomesOf(folder ?? '');
  const byKind = Map.groupBy(outcomes, ({ kind }) => kind);
  const reasons = Map.groupBy(byKind.get('out of scope') ?? [], ({ reason }) => reason ?? '');
  const lines = [
    `${outcomes.length} vectors, ${byKind.get('agreement')?.length} in agreement`,
    ...[...reasons].map(([reason, { length }]) => `  ${length} out of scope: ${reason}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  expect(byKind.get('wrong acceptance') ?? []).toEqual([]);
  expect(byKind.get('wrong rejection') ?? []).toEqual([]);
  expect(outcomes.some(({ reason }) => reason === undefined)).toBe(true);
});

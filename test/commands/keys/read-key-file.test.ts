import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readKeyFile } from '../../../src/commands/keys/read-key-file.ts';
import { OperatorError } from '../../../src/errors/operator-error.ts';
import type { SigningAlgorithm } from '../../../src/tokens/algorithms/signing-algorithm.ts';
import { folderWith, newKey, newPem, pemOf } from '../../support/signing-key-files.ts';

const rsaKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ed25519Key = () => generateKeyPairSync('ed25519').privateKey;
const asJwk = (key: KeyObject, more: object) => JSON.stringify({ ...key.export({ format: 'jwk' }), ...more });
const fileWith = (content: string, mode = 0o600) => {
  const file = join(folderWith({ 'first.key': content }), 'first.key');
  chmodSync(file, mode);
  return file;
};
/** For `--alg` and `COUNTERSIGN_SIGNING_ALG`. */
type Options = [alg?: SigningAlgorithm | undefined, setting?: SigningAlgorithm];
const read = (file: string, [alg, algorithm]: Options) => readKeyFile(file, { alg, algorithm });

test.each<[string, () => string, Options, SigningAlgorithm]>([
  ['the default of its type', () => newPem('P-384'), [], 'ES384'],
  ['the default of Ed25519', () => pemOf(ed25519Key()), [], 'EdDSA'],
  ['COUNTERSIGN_SIGNING_ALG', () => pemOf(ed25519Key()), [undefined, 'Ed25519'], 'Ed25519'],
  ['--alg before COUNTERSIGN_SIGNING_ALG', () => pemOf(rsaKey()), ['PS256', 'RS512'], 'PS256'],
  ['the alg of a JWK', () => asJwk(rsaKey(), { alg: 'PS384' }), [], 'PS384'],
])('an existing key is for %s', async (_, content, options, expected) => {
  const { algorithm, privateKey } = await read(fileWith(content()), options);
  expect([algorithm, privateKey.type]).toEqual([expected, 'private']);
});

test.each<[string, () => string, RegExp, Options?]>([
  ['its file does not exist', () => '/none.pem', /^\/none\.pem cannot be read: /],
  ['it has no name', () => '', /^--key is empty/],
  ['every user can read it', () => fileWith(newPem(), 0o644), /first\.key is readable by every user/],
  ['it is on an unsupported curve', () => fileWith(newPem('secp256k1')), /first\.key: unsupported key/],
  ['there are two', () => fileWith(newPem() + newPem()), /first\.key: contains more than one private key/],
  [
    'it has several problems',
    () => fileWith(asJwk(newKey(), { use: 'enc', key_ops: ['encrypt'] })),
    /first\.key: its "use" is "enc".*\n.*first\.key: its "key_ops" is/,
  ],
  [
    'it does not suit COUNTERSIGN_SIGNING_ALG',
    () => fileWith(newPem()),
    /first\.key: RS256 is incompatible with the key .*; use ES256/,
    [undefined, 'RS256'],
  ],
  [
    'its alg is another than --alg',
    () => fileWith(asJwk(rsaKey(), { alg: 'RS256' })),
    /first\.key: the key is for RS256 \(its "alg"\), and --alg is PS256/,
    ['PS256'],
  ],
])('an existing key is rejected if %s', async (_, newFile, message, options = []) => {
  const error = await read(newFile(), options).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OperatorError);
  expect(error).toMatchObject({ message: expect.stringMatching(message) });
});

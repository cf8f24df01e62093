import { type KeyObject, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileErrorReason } from '../../errors/file-error.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import { algorithmsFor, type SigningAlgorithm } from '../../tokens/algorithms/signing-algorithm.ts';
import { generatePrivateKey, UnavailableAlgorithmError } from '../../tokens/generate-key.ts';
import { privateJwkOf } from '../../tokens/key-jwk.ts';
import { keyFileTime } from '../../tokens/keyring/directory/key-file-name.ts';

export interface NewKey {
  readonly algorithm: SigningAlgorithm;
  /** Milliseconds since the epoch. */
  readonly signsFrom: number;
}

/** A file that was written. */
export interface KeyFile extends NewKey {
  readonly keyId: string;
  /** Its name. */
  readonly file: string;
}

/**
 * Generates a private key and writes it to a new file of a directory, which only its owner can read.
 *
 * @throws {OperatorError} if the file exists or cannot be written, or the runtime does not have the algorithm
 */
export async function writeKeyFile(folder: string, { algorithm, signsFrom }: NewKey): Promise<KeyFile> {
  const key = await generateKey(algorithm);
  const jwk = await privateJwkOf(key, algorithm);
  // PEM does not state the algorithm, which that of an RSA key or an Ed25519 key leaves open.
  const isPem = algorithmsFor(key).length === 1;
  const content = isPem ? key.export({ format: 'pem', type: 'pkcs8' }).toString() : `${JSON.stringify(jwk)}\n`;
  const file = chooseName(folder, keyFileTime(signsFrom), algorithm, isPem ? '.pem' : '.jwk');
  writeNewFile(folder, file, content);
  return { algorithm, signsFrom, keyId: jwk.kid, file };
}

async function generateKey(algorithm: SigningAlgorithm): Promise<KeyObject> {
  try {
    return await generatePrivateKey(algorithm);
  } catch (error) {
    throw error instanceof UnavailableAlgorithmError ? new OperatorError([error.message]) : error;
  }
}

/** Keys of several algorithms can begin at the same time. */
function chooseName(folder: string, time: string, algorithm: SigningAlgorithm, extension: string): string {
  const name = `${time}${extension}`;
  return existsSync(join(folder, name)) ? `${time}-${algorithm}${extension}` : name;
}

const OWNER_ONLY = 0o600;

/** Writes a hidden file, which servers ignore, and links it when it is complete. A link never replaces a file. */
function writeNewFile(folder: string, name: string, content: string): void {
  const path = join(folder, name);
  const partial = join(folder, `.${name}.${randomBytes(8).toString('hex')}.partial`);
  try {
    const descriptor = openSync(partial, 'wx', OWNER_ONLY);
    try {
      writeSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    linkSync(partial, path);
  } catch (error) {
    throw new OperatorError([`${path} cannot be written: ${fileErrorReason(error)}`]);
  } finally {
    rmSync(partial, { force: true });
  }
}

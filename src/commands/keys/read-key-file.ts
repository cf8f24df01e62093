import type { KeyObject } from 'node:crypto';
import { ConfigurationError, OperatorError } from '../../errors/operator-error.ts';
import { readSecretFile } from '../../files/secret-file.ts';
import type { SigningAlgorithm } from '../../tokens/algorithms/signing-algorithm.ts';
import { parseSigningKey } from '../../tokens/signing-key.ts';
import { parseKeyText } from '../../tokens/signing-key-text.ts';
import { printWarnings } from '../output/errors.ts';

/** An existing key. */
interface ImportedKey {
  readonly privateKey: KeyObject;
  readonly algorithm: SigningAlgorithm;
}

interface AlgorithmOptions {
  /** `--alg`, which takes precedence. */
  readonly alg: SigningAlgorithm | undefined;
  /** `COUNTERSIGN_SIGNING_ALG`. */
  readonly algorithm: SigningAlgorithm | undefined;
}

/**
 * Reads an existing private key with the checks of COUNTERSIGN_SIGNING_KEY_FILE, and determines its algorithm in the same
 * way, so that the key stays the same for verifiers.
 *
 * @throws {OperatorError} with every problem, each with the name of the file; they never quote the key
 */
export async function readKeyFile(file: string, { alg, algorithm }: AlgorithmOptions): Promise<ImportedKey> {
  const text = readText(file);
  const choice = alg === undefined ? { required: algorithm } : { required: alg, requiredBy: '--alg' };
  const result = await parseSigningKey(text, choice);
  if (!result.ok) throw new OperatorError(result.problems.map((problem) => `${file}: ${problem}`));
  printWarnings(result.warnings.map((warning) => `${file}: ${warning}`));
  const { privateKey } = parseKeyText(text);
  if (!privateKey) throw new Error('the key was parsed before');
  return { privateKey, algorithm: result.key.algorithm };
}

function readText(file: string): string {
  if (file === '') throw new ConfigurationError(['--key is empty: expected the path of a file']);
  try {
    return readSecretFile(file);
  } catch (error) {
    if (error instanceof RangeError) throw new OperatorError([error.message]);
    throw error;
  }
}

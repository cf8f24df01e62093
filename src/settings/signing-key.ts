import { type SigningAlgorithm, signingAlgorithmNames } from '../tokens/algorithms/signing-algorithm.ts';
import { oneOf, plainText } from './parsers.ts';
import { defineSettings } from './setting.ts';
import type { Settings } from './settings.ts';

export const signingKeySettings = defineSettings('Signing key', {
  SIGNING_KEY: {
    parse: plainText,
    description: 'private key that signs tokens, PEM or JWK',
    isSecret: true,
    required:
      'set it to the file with the private key that signs tokens; generate one with: ' +
      'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out signing-key.pem',
  },
  SIGNING_ALG: {
    parse: oneOf(signingAlgorithmNames),
    description: 'signature algorithm of tokens',
    details: '`ES256`, `ES384`, `ES512`, `EdDSA`, `RS256` … `PS512`.',
    defaultDescription: 'by the curve of the key; `RS256` for RSA',
  },
});

export interface SigningKeyConfig {
  readonly text: string;
  readonly algorithm: SigningAlgorithm | undefined;
  /** The variable that holds the key or names its file, without the prefix; for messages. */
  readonly setting: string;
}

/** Reads the signing key, undefined if it is missing. Problems are collected in `settings`. */
export function readSigningKeyConfig(settings: Settings): SigningKeyConfig | undefined {
  const { SIGNING_KEY, SIGNING_ALG } = signingKeySettings;
  const text = settings.read(SIGNING_KEY);
  const algorithm = settings.read(SIGNING_ALG);
  return text === undefined ? undefined : { text, algorithm, setting: settings.variableOf(SIGNING_KEY) };
}

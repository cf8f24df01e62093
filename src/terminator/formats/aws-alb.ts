import { decodeForwardedPem } from '../../pki/certificate/pem.ts';
import { decodeConcatenatedPem, encodeEscapedPem, unescapePem } from '../encodings/pem.ts';
import type { HeaderFormat } from '../format.ts';

/**
 * AWS Application Load Balancer, a listener with mutual authentication in `verify` mode: the PEM of the leaf,
 * percent-encoded with `+`, `/` and `=` bare. No field carries a verdict; the mode refuses a handshake without a
 * certificate that its trust store verifies. Not run here: after the documentation of AWS.
 */
export const awsAlb: HeaderFormat = {
  certificateHeader: 'x-amzn-mtls-clientcert-leaf',
  chain: undefined,
  verification: [],
  absentValues: [],
  canVerify: true,
  decode: (value) => ({ leaf: decodeForwardedPem(unescapePem(value, '+/=')), chain: [] }),
  encode: (der) => encodeEscapedPem(der, '+/='),
  hints: {},
};

/**
 * AWS Application Load Balancer, a listener with mutual authentication in `passthrough` mode: the PEM of all that the
 * client sent, leaf first, verified by nobody and percent-encoded with `+`, `/` and `=` bare. (An example in the
 * documentation has `%3D`, against its own text and what users show.) Not run here: after that documentation.
 */
export const awsAlbPassthrough: HeaderFormat = {
  certificateHeader: 'x-amzn-mtls-clientcert',
  chain: undefined,
  verification: [],
  absentValues: [],
  canVerify: false,
  decode: (value) => decodeConcatenatedPem(unescapePem(value, '+/=')),
  encode: (der) => encodeEscapedPem(der, '+/='),
  hints: {},
};

import { decodeForwardedPem } from '../../pki/certificate/pem.ts';
import { decodeConcatenatedPem, encodeEscapedPem, unescapePem } from '../encodings/pem.ts';
import type { HeaderFormat } from '../format.ts';

/**
 * AWS Application Load Balancer, a listener with mutual authentication in `verify` mode: the PEM of the leaf,
 * percent-encoded with unescaped `+`, `/` and `=`. No field reports the verification; in this mode the handshake fails
 * without a certificate that the trust store verifies. Not tested against the service: based on the AWS documentation.
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
 * AWS Application Load Balancer, a listener with mutual authentication in `passthrough` mode: the PEM of the whole chain
 * that the client presented, leaf first, not verified, and percent-encoded with unescaped `+`, `/` and `=`. (One example
 * in the AWS documentation contains `%3D`, in contradiction to its text and to headers that users published.) Not tested
 * against the service: based on that documentation.
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

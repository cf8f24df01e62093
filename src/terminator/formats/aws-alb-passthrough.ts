import { decodeConcatenatedPem } from '../encodings/concatenated-pem.ts';
import { unescapePem } from '../encodings/escaped-pem.ts';
import type { HeaderFormat } from '../header-format.ts';

/**
 * AWS Application Load Balancer, a listener with mutual authentication in `passthrough` mode: the PEM of all that the
 * client sent, leaf first, verified by nobody and percent-encoded with `+`, `/` and `=` bare. (An example in the
 * documentation has `%3D`, against its own text and what users show.) Not run here: after that documentation.
 */
export const awsAlbPassthrough: HeaderFormat = {
  certificateHeader: 'x-amzn-mtls-clientcert',
  chain: undefined,
  verdict: [],
  absent: [],
  canVerify: false,
  decode: (value) => decodeConcatenatedPem(unescapePem(value, '+/=')),
};

import { decodeForwardedPem } from '../../pki/certificate/pem.ts';
import { unescapePem } from '../encodings/escaped-pem.ts';
import type { HeaderFormat } from '../header-format.ts';

/**
 * AWS Application Load Balancer, a listener with mutual authentication in `verify` mode: the PEM of the leaf,
 * percent-encoded with `+`, `/` and `=` bare. No field carries a verdict; the mode refuses a handshake without a
 * certificate that its trust store verifies. Not run here: after the documentation of AWS.
 */
export const awsAlb: HeaderFormat = {
  certificateHeader: 'x-amzn-mtls-clientcert-leaf',
  chain: undefined,
  verdict: [],
  absent: [],
  canVerify: true,
  decode: (value) => ({ leaf: decodeForwardedPem(unescapePem(value, '+/=')), chain: [] }),
};

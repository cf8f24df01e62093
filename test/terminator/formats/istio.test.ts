import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { createCertificateReader } from '../../../src/terminator/certificate-reader.ts';
import { istio } from '../../../src/terminator/formats/istio.ts';
import { selfSigned } from '../../support/certificates.ts';

const client = selfSigned();
const read = createCertificateReader('istio');

const hash = createHash('sha256').update(client.der).digest('hex');
const gateway = `Hash=${hash};Cert="${encodeURIComponent(client.pem)}";Subject="CN=client";URI=;DNS=a.example`;
const sidecar =
  `By=spiffe://cluster.local/ns/auth/sa/countersign;Hash=${'0a'.repeat(32)};Subject="";` +
  'URI=spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account';

describe('istio', () => {
  test("the gateway's element is decoded if the sidecar forwards it unchanged", () => {
    const { certificate } = read({ encoded: gateway, encodedChain: undefined });
    expect(certificate.thumbprint).toBe(client.thumbprint);
  });

  test.each([
    [
      "the sidecar's element after the gateway's",
      `${gateway},${sidecar}`,
      /appended.*forwardedClientCert: FORWARD_ONLY/,
    ],
    ["the sidecar's element before the gateway's", `${sidecar},${gateway}`, /more than one element/],
    ["the sidecar's element alone", sidecar, /no Cert.*FORWARD_ONLY.*AuthorizationPolicy.*EnvoyFilter.*cert: true/],
  ])('%s is rejected, and the error names the fix', (_, value, reason) => {
    expect(() => istio.decode(value)).toThrow(CertificateError);
    expect(() => istio.decode(value)).toThrow(reason);
  });
});

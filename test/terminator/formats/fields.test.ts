import { expect, test } from 'vitest';
import { apache } from '../../../src/terminator/formats/apache.ts';
import { awsAlb, awsAlbPassthrough } from '../../../src/terminator/formats/aws-alb.ts';
import { azure, azureAppService } from '../../../src/terminator/formats/azure.ts';
import { caddy } from '../../../src/terminator/formats/caddy.ts';
import { cloudflare } from '../../../src/terminator/formats/cloudflare.ts';
import { gcpLb } from '../../../src/terminator/formats/gcp-lb.ts';
import { haproxy } from '../../../src/terminator/formats/haproxy.ts';
import { ingressNginx } from '../../../src/terminator/formats/ingress-nginx.ts';
import { rfc9440 } from '../../../src/terminator/formats/rfc9440.ts';
import { traefik } from '../../../src/terminator/formats/traefik.ts';

/** Proxies are configured for these names and words: certificate, chain, verification, and whether the proxy can verify. */
test.each([
  ['ingress-nginx', ingressNginx, 'ssl-client-cert', [], ['ssl-client-verify: SUCCESS'], true],
  ['RFC 9440', rfc9440, 'client-cert', ['client-cert-chain, …'], [], true],
  ['HAProxy', haproxy, 'x-ssl-client-cert', ['x-ssl-client-chain'], ['x-ssl-client-verify: 0'], true],
  ['Apache', apache, 'x-ssl-client-cert', [], ['x-ssl-client-verify: SUCCESS'], true],
  ['Traefik', traefik, 'x-forwarded-tls-client-cert', [], [], true],
  ['Caddy', caddy, 'x-ssl-client-cert', [], [], true],
  ['AWS ALB, verify', awsAlb, 'x-amzn-mtls-clientcert-leaf', [], [], true],
  ['AWS ALB, passthrough', awsAlbPassthrough, 'x-amzn-mtls-clientcert', [], [], false],
  [
    'Google Cloud',
    gcpLb,
    'x-client-cert-leaf',
    ['x-client-cert-chain'],
    ['x-client-cert-chain-verified: true', 'x-client-cert-present: true'],
    true,
  ],
  ['Azure', azure, 'x-client-certificate', [], ['x-client-certificate-verification: SUCCESS'], true],
  ['Azure App Service', azureAppService, 'x-arr-clientcert', [], [], false],
  [
    'Cloudflare',
    cloudflare,
    'client-cert',
    ['client-cert-chain, …'],
    ['cf-cert-verified: true', 'cf-cert-revoked: false'],
    true,
  ],
] as const)('the fields of %s', (_, format, certificate, chains, verification, canVerify) => {
  const { chain } = format;
  expect(format.certificateHeader).toBe(certificate);
  expect(chain ? [`${chain.header}${chain.maySpanLines ? ', …' : ''}`] : []).toEqual(chains);
  expect(format.verification.map(({ header, successValue }) => `${header}: ${successValue}`)).toEqual(verification);
  expect(format.canVerify).toBe(canVerify);
});

test.each([
  ['Apache', apache, ['(null)']],
  ['RFC 9440', rfc9440, ['::']],
  ['Caddy 2.6', caddy, ['{http.request.tls.client.certificate_der_base64}']],
])('%s has a word for no certificate, which is no certificate either', (_, format, words) => {
  expect(format.absentValues).toEqual(words);
  for (const word of words) expect(() => format.decode(word)).toThrow();
});

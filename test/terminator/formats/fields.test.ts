import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { HeaderFormat } from '../../../src/terminator/format.ts';
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
import { headerFormatNames, headerFormats } from '../../../src/terminator/formats.ts';
import { repositoryRoot } from '../../support/repository-root.ts';

/** Operators configure proxies for these headers and values: certificate, chain, verification, and whether it can verify. */
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
] as const)('%s uses the documented headers', (_, format, certificate, chains, verification, canVerify) => {
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
])('%s has a value for no certificate, which does not decode', (_, format, values) => {
  expect(format.absentValues).toEqual(values);
  for (const value of values) expect(() => format.decode(value)).toThrow();
});

const documentation = readFileSync(join(repositoryRoot, 'docs', 'terminators.md'), 'utf8');

test.each(headerFormatNames)('docs/terminators.md lists %s with its headers', (name) => {
  const { certificateHeader, verification }: HeaderFormat = headerFormats[name];
  const [, header = '', , , verified = ''] =
    /^\| (.*) \|$/m.exec(documentation.slice(documentation.indexOf(`| \`${name}\` |`)))?.[1]?.split(' | ') ?? [];
  const headers = name === 'istio' ? 'as envoy' : `\`${certificateHeader}\``;
  expect(header.toLowerCase()).toBe(headers);
  const fields = verification.map(({ header, successValue }) => `\`${header}: ${successValue}\``).join(' and ');
  expect(verified.toLowerCase().replace(/^(–|never verified)(;.*)?$/, '')).toBe(fields.toLowerCase());
});

import type { HeaderFormat } from './format.ts';
import { apache } from './formats/apache.ts';
import { awsAlb, awsAlbPassthrough } from './formats/aws-alb.ts';
import { azure, azureAppService } from './formats/azure.ts';
import { caddy } from './formats/caddy.ts';
import { cloudflare } from './formats/cloudflare.ts';
import { envoy } from './formats/envoy.ts';
import { gcpLb } from './formats/gcp-lb.ts';
import { haproxy } from './formats/haproxy.ts';
import { ingressNginx } from './formats/ingress-nginx.ts';
import { istio } from './formats/istio.ts';
import { nginx } from './formats/nginx.ts';
import { rfc9440 } from './formats/rfc9440.ts';
import { traefik } from './formats/traefik.ts';

/** Every value of `COUNTERSIGN_TERMINATOR`. Among formats with the same encoding, the most common comes first. */
export const headerFormats = {
  nginx,
  'ingress-nginx': ingressNginx,
  envoy,
  istio,
  haproxy,
  apache,
  caddy,
  traefik,
  rfc9440,
  'aws-alb': awsAlb,
  'aws-alb-passthrough': awsAlbPassthrough,
  'gcp-lb': gcpLb,
  azure,
  'azure-app-service': azureAppService,
  cloudflare,
} as const satisfies Record<string, HeaderFormat>;

export type HeaderFormatName = keyof typeof headerFormats;

/** Safe: the table is closed, so its keys are exactly the names. */
export const headerFormatNames = Object.keys(headerFormats) as HeaderFormatName[];

const formats = Object.values<HeaderFormat>(headerFormats);

/** The values that mean "no certificate" in any format. None of them is a valid certificate in another format. */
export const absentValues: ReadonlySet<string> = new Set(formats.flatMap(({ absentValues }) => absentValues));

/** The certificate headers of all formats, in lower case. */
export const certificateHeaders: ReadonlySet<string> = new Set(
  formats.map(({ certificateHeader }) => certificateHeader),
);

/** All headers of all formats, including those for chains and verification, in lower case. */
export const knownHeaders: ReadonlySet<string> = new Set([
  ...certificateHeaders,
  ...formats.flatMap(({ chain, verification }) => [
    ...(chain ? [chain.header] : []),
    ...verification.map(({ header }) => header),
  ]),
]);

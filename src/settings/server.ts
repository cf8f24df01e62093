import { type PlainAddress, parseListenAddress } from '../http/listen-address.ts';
import { parseBaseUrl } from '../oauth/issuer.ts';
import { durationFromZeroTo, durationUpTo, integerUpTo } from './parsers.ts';
import { defineSettings, type Warn } from './setting.ts';

const MAX_QUEUE_DELAY_LIMIT_MILLISECONDS = 60_000;
const DRAIN_DELAY_LIMIT_MILLISECONDS = 600_000;

export const serverSettings = defineSettings('Server', {
  ISSUER: {
    parse: parseIssuer,
    description: 'URL of this server as clients use it',
    details: 'Starts with https://, has a lower-case host and no default port, and may have a path.',
    required: 'set it to the URL by which clients know this server, such as https://auth.example',
  },
  MTLS_URL: {
    parse: parseBaseUrl,
    description: 'base URL of `mtls_endpoint_aliases`',
    details:
      'Another host, or a path below the issuer. With `/connect/mtls` at the end, as in IdentityServer, the proxy has to lead ' +
      'these paths to the endpoints: see [terminators.md](terminators.md#paths-of-identityserver).',
    defaultDescription: 'the issuer',
  },
  LISTEN: {
    parse: parseListenAddress,
    description: 'address of the public listener',
    details: '`127.0.0.1:8080`, `[::]:8080`, or `unix:/run/countersign.sock` (accessible to owner and group only).',
    default: '127.0.0.1:8080',
    mayDiffer: true,
  },
  OPERATIONS_LISTEN: {
    parse: parseOptionalListen,
    description: 'address of the operations listener, or `off`',
    details:
      'It serves `/livez`, `/readyz` and `/metrics`, and to this machine only the page `/decisions` and the API of ' +
      '[`countersign doctor`](doctor.md). Not for clients.',
    default: '127.0.0.1:9090',
    mayDiffer: true,
  },
  MAX_QUEUE_DELAY: {
    parse: durationUpTo(MAX_QUEUE_DELAY_LIMIT_MILLISECONDS),
    description: 'how long requests may wait before they are processed',
    details:
      'While the oldest one has waited longer, further POST requests get 503 with `Retry-After`. See [Overload](#overload).',
    default: '100ms',
  },
  DRAIN_DELAY: {
    parse: durationFromZeroTo(DRAIN_DELAY_LIMIT_MILLISECONDS),
    description: 'how long everything is still served after SIGTERM, while `/readyz` is 503',
    details:
      'As long as load balancers take to send requests elsewhere, such as `5s` in Kubernetes. See [operate.md](operate.md#stop).',
    default: '0',
  },
  MAX_REQUESTS_IN_FLIGHT: {
    parse: integerUpTo(1_000_000),
    description: 'how many requests may be unanswered at once, on the public and the edge listener together',
    details: 'Further POST requests and checks get 503 with `Retry-After`. See [Overload](#overload).',
    default: '1000',
  },
  MAX_CONNECTIONS: {
    parse: integerUpTo(1_000_000),
    description: 'how many connections may be open at once, on the public and the edge listener each',
    details: 'A further one is closed at once. See [Overload](#overload).',
    default: '10000',
  },
});

/** A final slash is valid, and mostly a mistake: verifiers compare `iss` character by character (RFC 9068 §4). */
function parseIssuer(text: string, warn: Warn): string {
  const issuer = parseBaseUrl(text);
  if (issuer.endsWith('/'))
    warn(
      `"${issuer}" ends with a slash, and so does the iss of every token: remove it, or configure it in every client and API`,
    );
  return issuer;
}

/** The address of a listener that can be off. */
export function parseOptionalListen(text: string): PlainAddress | 'off' {
  return text === 'off' ? text : parseListenAddress(text);
}

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { knownHeaders } from '../../src/terminator/formats.ts';
import { type ReceivedRequest, receivedValues } from './demo-upstream.ts';
import { describeWith } from './describe-with.ts';
import {
  type EdgeDeployment,
  type EdgeExchange,
  edgeRequestBytes,
  forwardedThumbprint,
  startEdgeDeployment,
} from './edge-deployment.ts';
import { apiHost, type EdgeProxy, type EdgeProxyName, edgeProxies } from './edge-proxies.ts';
import { type EdgeStandIn, startEdgeStandIn } from './edge-stand-in.ts';
import { connectHttp2 } from './http2-request.ts';

/** What the edge tells the upstream about a client; docs/edge.md documents each. */
const identity: Readonly<Record<string, string>> = {
  Authorization: 'Bearer minted',
  'X-Countersign-Client-Id': 'alpha',
  'X-Countersign-Subject': 'alpha',
  'X-Countersign-Scope': 'orders',
  'X-Countersign-Audience': 'https://orders.example',
  'X-Countersign-Expires': '4102444800',
};
const identityHeaders = Object.keys(identity);

/** Headers between the proxy and the edge, and those in which any proxy forwards a certificate. */
const otherHeaders = [
  'X-Countersign-Error',
  'X-Countersign-Proxy-Secret',
  'X-Envoy-Auth-Headers-To-Remove',
  ...knownHeaders,
];

const mixedCase = (name: string) => name.replace(/./g, (c, index) => (index % 2 ? c.toUpperCase() : c.toLowerCase()));
/** Header lines, and lines after a chunked body. */
interface Copies {
  readonly lines?: readonly string[];
  readonly trailers?: readonly string[];
}

/** The ways in which a client may send a copy of a header. */
const spellings: readonly (readonly [title: string, copies: (name: string) => Copies])[] = [
  ['as documented', (name) => ({ lines: [`${name}: forged`] })],
  ['in lower case', (name) => ({ lines: [`${name.toLowerCase()}: forged`] })],
  ['in upper case', (name) => ({ lines: [`${name.toUpperCase()}: forged`] })],
  ['in mixed case', (name) => ({ lines: [`${mixedCase(name)}: forged`] })],
  ['with underscores', (name) => ({ lines: [`${name.replaceAll('-', '_')}: forged`] })],
  ['with one underscore', (name) => ({ lines: [`${name.replace('-', '_')}: forged`] })],
  ['with dots', (name) => ({ lines: [`${name.replaceAll('-', '.')}: forged`] })],
  ['with a space before the colon', (name) => ({ lines: [`${name} : forged`] })],
  ['with a line feed alone before it', (name) => ({ lines: [`X-Other: 1\n${name}: forged`] })],
  ['twice', (name) => ({ lines: [`${name}: forged`, `${name}: forged too`] })],
  ['twice, the first one empty', (name) => ({ lines: [`${name}:`, `${name}: forged`] })],
  ['twice, in two cases', (name) => ({ lines: [`${name.toLowerCase()}: forged`, `${name.toUpperCase()}: forged`] })],
  ['named in Connection', (name) => ({ lines: [`${name}: forged`, `Connection: ${name}`] })],
  ['named in Connection only', (name) => ({ lines: [`Connection: close, ${name}`] })],
  ['as a trailer', (name) => ({ trailers: [`${name}: forged`] })],
  ['as an announced trailer', (name) => ({ lines: [`Trailer: ${name}`], trailers: [`${name}: forged`] })],
];

/** Clients cannot send the upstream an identity of their own through this proxy. */
export function describeEdgeHeaders(name: EdgeProxyName): void {
  const { program, forwardsTrailers = false }: EdgeProxy = edgeProxies[name];

  describeWith([program], `headers of clients behind ${name}`, () => {
    let standIn: EdgeStandIn;
    let deployment: EdgeDeployment;
    beforeAll(async () => {
      standIn = await startEdgeStandIn();
      deployment = await startEdgeDeployment({ proxy: name, edge: standIn.url, replace: edgeProxies[name].patience });
    });
    afterAll(async () => {
      await deployment?.stop();
      await standIn?.stop();
    });

    /** The edge approves each check, with every identity header but one. */
    function approveWithout(absent: string | undefined) {
      const present = Object.entries(identity).filter(([field]) => field !== absent);
      const removal = absent ? ['X-Envoy-Auth-Headers-To-Remove', absent.toLowerCase()] : [];
      standIn.respond = (_, response) => {
        response.sendDate = false;
        response.writeHead(200, [...present.flat(), ...removal, 'Content-Length', '0']).end();
      };
    }

    /** A denied request is fine; one that reached the API must have the identity of the edge and no other. */
    function expectNotForged({ received }: Pick<EdgeExchange, 'received'>, absent: string | undefined, title: string) {
      const { thumbprint } = deployment.certificateOf('alpha');
      for (const request of received) {
        const trailers = forwardsTrailers ? [] : request.trailers;
        expect(JSON.stringify([request.headers, trailers]), title).not.toContain('forged');
        for (const [field, value] of Object.entries(identity)) {
          expect(receivedValues(request, field), title).toEqual(field === absent ? [] : [value]);
        }
        expect(lookalikes({ ...request, trailers }), title).toEqual([]);
        expect(forwardedThumbprint(name, request), title).toBe(thumbprint);
      }
      return received.length;
    }

    async function sendEverySpelling(field: string, absent: string | undefined): Promise<number> {
      let reached = 0;
      for (const [title, copies] of spellings) {
        const exchange = await deployment.exchange(bytesOf(copies(field)), deployment.certificateOf('alpha'));
        reached += expectNotForged(exchange, absent, `${field} ${title}`);
      }
      return reached;
    }

    describe.each<[string, string | undefined]>([
      ['with every header', undefined],
      ...identityHeaders.map((field): [string, string] => [`without ${field}`, field]),
    ])('after a response %s', (_title, absent) => {
      beforeAll(() => approveWithout(absent));

      test.each(identityHeaders)('%s is that of the edge', async (field) => {
        // A header of the client that nothing replaces would be visible in most of the spellings.
        expect(await sendEverySpelling(field, absent)).toBeGreaterThan(spellings.length / 3);
      });
    });

    test.each(otherHeaders)('%s does not reach the API', async (field) => {
      approveWithout(undefined);
      expect(await sendEverySpelling(field, undefined)).toBeGreaterThan(spellings.length / 3);
    });

    test('headers do not reach the API over HTTP/2', async () => {
      approveWithout('X-Countersign-Scope');
      const tls = deployment.tlsOf(deployment.certificateOf('alpha'));
      for (const field of [...identityHeaders, ...otherHeaders].map((field) => field.toLowerCase())) {
        const fields = [
          { [field]: 'forged' },
          { [field.replaceAll('-', '_')]: 'forged' },
          { [field.replaceAll('-', '.')]: 'forged' },
          // Node.js does not send it twice.
          ...(field === 'authorization' ? [] : [{ [field]: ['forged', 'forged too'] }]),
        ];
        const requests = [...fields.map((fields) => ({ fields })), { trailers: { [field]: 'forged' } }];
        for (const request of requests) {
          const seen = deployment.upstream.requests.length;
          const connection = await connectHttp2(`https://127.0.0.1:${deployment.port}`, tls);
          // A proxy may reset the stream instead of a response.
          const sent = { authority: apiHost, path: '/orders/', body: 'a=b', ...request };
          await connection.send(sent).catch(() => undefined);
          connection.close();
          const received = deployment.upstream.requests.slice(seen);
          expectNotForged({ received }, 'X-Countersign-Scope', JSON.stringify(request));
        }
      }
    });
  });
}

function bytesOf({ lines = [], trailers }: Copies): Uint8Array {
  if (!trailers) return edgeRequestBytes({ path: '/orders/', lines });
  const head = { method: 'POST', path: '/orders/', lines: ['Transfer-Encoding: chunked', ...lines] };
  return Buffer.concat([edgeRequestBytes(head), Buffer.from(['3', 'abc', '0', ...trailers, '', ''].join('\r\n'))]);
}

/** Names that some applications read as an identity header, such as those behind CGI or WSGI. */
function lookalikes({ headers, trailers }: ReceivedRequest): string[] {
  const names = [...headers, ...trailers].filter((_, index) => index % 2 === 0).map((field) => field.toLowerCase());
  const protectedNames = identityHeaders.map((field) => field.toLowerCase());
  return names.filter(
    (field) => !protectedNames.includes(field) && protectedNames.includes(field.replace(/[._]/g, '-')),
  );
}

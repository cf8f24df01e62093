import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createTestCa, type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { type DemoUpstream, receivedValues, startDemoUpstream } from '../support/demo-upstream.ts';
import { describeWith } from '../support/describe-with.ts';
import { apiHost } from '../support/edge-proxies.ts';
import { type EdgeStandIn, startEdgeStandIn } from '../support/edge-stand-in.ts';
import { freePort } from '../support/free-port.ts';
import type { HttpResponse } from '../support/http-response.ts';
import { type RunningNginx, startShippedNginxEdge } from '../support/nginx.ts';
import { type RawRequest, requestBytes, sendRaw } from '../support/raw-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const serverCa = createTestCa({ subject: [['CN', 'Server CA']] });
const clientCa = createTestCa({ subject: [['CN', 'Client CA']] });
const alpha = clientCa.issue({ subject: [['CN', 'alpha']] });
const beta = clientCa.issue({ subject: [['CN', 'beta']] });

const checkInclude = 'include /etc/nginx/countersign/edge-check.conf;';
const ordersRoute = 'set $countersign_check mint/orders;';
const inServer = (settings: string) => [[checkInclude, `${checkInclude}\n${settings}`]] as const;
const inHttp = (settings: string) =>
  [['upstream countersign_edge {', `${settings}\nupstream countersign_edge {`]] as const;
const inLocation = (settings: string) => [[ordersRoute, `${ordersRoute}\n${settings}`]] as const;

/** Settings that are common in an existing server, and that would weaken the check if it inherited them. */
const inherited: readonly (readonly [title: string, replace: readonly (readonly [string, string])[]])[] = [
  [
    'error pages with 200',
    inServer('error_page 401 403 404 500 502 503 504 =200 /page; location = /page { return 200 page; }'),
  ],
  [
    'error pages for responses of upstreams',
    inServer('proxy_intercept_errors on; error_page 401 403 500 503 =200 /page; location = /page { return 200 page; }'),
  ],
  ['a choice of access rules', inServer('satisfy any; allow all;')],
  [
    'another method and body',
    inServer(String.raw`proxy_method POST; proxy_set_body "GET /edge/mint/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";`),
  ],
  ['all headers of the request', inServer('proxy_pass_request_headers on; proxy_pass_request_body on;')],
  ['headers of its own', inServer('proxy_set_header X-Countersign-Client-Id $http_x_countersign_client_id;')],
  ['buffers of its own', inServer('proxy_buffers 4 8k; proxy_busy_buffers_size 16k; proxy_buffering off;')],
  ['other rules for all locations', inServer('limit_req_status 429; recursive_error_pages on; msie_refresh on;')],
];

describeWith(['nginx'], 'the edge in a server of nginx with', () => {
  let standIn: EdgeStandIn;
  let upstream: DemoUpstream;
  let nginx: RunningNginx | undefined;
  let port: number;
  /** The checks so far: method, path, and raw headers. */
  const checks: string[][] = [];

  beforeAll(async () => {
    standIn = await startEdgeStandIn();
    upstream = await startDemoUpstream();
  });
  afterEach(async () => {
    await nginx?.stop();
    nginx = undefined;
  });
  afterAll(async () => {
    await standIn?.stop();
    await upstream?.stop();
  });

  async function start(replace: readonly (readonly [string, string])[], edge = standIn.url): Promise<void> {
    const directory = temporaryDirectory();
    serverCa.issue({ eku: 'server', dns: [apiHost] }).writeTo(directory, apiHost);
    clientCa.writeTo(directory, 'client-ca');
    port = await freePort();
    nginx = await startShippedNginxEdge({ directory, port, edge, upstream: upstream.url, replace });
  }

  function respond(status: number, headers: readonly string[]) {
    checks.length = 0;
    standIn.respond = (request, response) => {
      checks.push([request.method ?? '', request.url ?? '', ...request.rawHeaders]);
      response.writeHead(status, [...headers, 'Content-Length', '0']).end();
    };
  }

  /** A new connection for each request. */
  async function send(request: RawRequest, identity?: MintedCertificate) {
    const seen = upstream.requests.length;
    const lines = [`Host: ${apiHost}`, ...(request.lines ?? [])];
    const own = identity && { cert: identity.pem, key: identity.privateKeyPem };
    const tls = { ca: serverCa.pem, servername: apiHost, ...own };
    const bytes = requestBytes({ method: 'GET', ...request, lines });
    const response: HttpResponse = await sendRaw(`https://127.0.0.1:${port}`, bytes, { tls });
    return { response, received: upstream.requests.slice(seen) };
  }

  const approval = ['Authorization', 'Bearer minted', 'X-Countersign-Client-Id', 'alpha'];
  const post = {
    method: 'POST',
    path: '/orders/1',
    lines: ['X-Countersign-Client-Id: forged', 'X-Countersign-Scope: forged', 'Expect: 100-continue', 'TE: trailers'],
    body: 'GET /edge/mint/stock HTTP/1.1\r\nHost: a\r\n\r\n',
  };

  test.each(inherited)('%s denies and approves requests as without', async (_title, replace) => {
    await start(replace);
    for (const status of [401, 403, 503]) {
      respond(status, ['WWW-Authenticate', 'Bearer', 'X-Countersign-Error', 'a_code']);
      const { response, received } = await send(post, alpha);
      expect([response.status, received]).toEqual([status, []]);
    }
    respond(200, approval);
    const { response, received } = await send(post, alpha);
    expect([response.status, received.length]).toEqual([200, 1]);
    const [request] = received;
    expect(request && receivedValues(request, 'X-Countersign-Client-Id')).toEqual(['alpha']);
    expect(JSON.stringify(received)).not.toContain('forged');
    const { verify, ...fields } = checkFields(checks[0] ?? []);
    expect([checks.length, verify, fields]).toEqual([1, 'SUCCESS', { head: 'GET /edge/mint/orders', rest: [] }]);
  });

  test.each(inherited)('%s denies requests without a response of the edge', async (_title, replace) => {
    await start(replace, `http://127.0.0.1:${await freePort()}`);
    const { response, received } = await send(post, alpha);
    expect([response.status, received]).toEqual([503, []]);
    expect(response.headers.get('retry-after')).toBe('1');
  });

  test('a cache checks each request', async () => {
    const cache =
      'proxy_cache all; proxy_cache_valid any 1h; proxy_ignore_headers Cache-Control Expires Vary Set-Cookie;';
    await start([
      ...inHttp(`proxy_cache_path ${temporaryDirectory()} keys_zone=all:1m;`),
      ...inServer(`${cache} proxy_cache_key $uri;`),
    ]);
    for (const identity of [alpha, beta, alpha, beta]) {
      respond(200, ['Authorization', 'Bearer minted']);
      await send({ path: '/orders/1' }, identity);
      expect(checks).toHaveLength(1);
      expect(checks[0]?.join()).toContain(encodeURIComponent(identity.pem.slice(100, 200)));
    }
    respond(403, []);
    expect((await send({ path: '/orders/1' }, alpha)).response.status).toBe(403);
  });

  test('a route of its own does not replace that of the location', async () => {
    await start([[checkInclude, `set $countersign_check either/stock;\n${checkInclude}`]]);
    respond(200, approval);
    await send({ path: '/reports/1' }, alpha);
    expect(checks[0]?.[1]).toBe('/edge/verify/reports');
  });

  test('a location without a route asks for none', async () => {
    await start([[ordersRoute, '']]);
    respond(403, []);
    expect((await send({ path: '/orders/1' }, alpha)).received).toEqual([]);
    expect(checks[0]?.[1]).toBe('/edge/');
  });

  test('a redirect to the check does not show the client a token', async () => {
    const rewrite = 'location /leak/ { set $countersign_route mint/orders; rewrite ^ /countersign-edge-check last; }';
    await start(inServer(rewrite));
    respond(200, approval);
    const { response } = await send({ path: '/leak/' }, alpha);
    expect([checks.length, response.status, response.headers.has('authorization')]).toEqual([1, 200, false]);
    expect((await send({ path: '/countersign-edge-check' }, alpha)).response.status).toBe(404);
  });

  /** A default server that accepts any handshake, and verifies certificates by a CA of its own. */
  const anyName = `ssl_certificate /etc/nginx/countersign/api.example.pem;
    ssl_certificate_key /etc/nginx/countersign/api.example-key.pem;
    ssl_trusted_certificate /etc/nginx/countersign/api.example.pem;
    ssl_verify_client optional_no_ca;`;
  test.each([
    ['an unknown host', apiHost, 'other.example', []],
    ['a host', '', apiHost, [['ssl_reject_handshake on;', anyName]]],
  ] as const)('%s that is not that of the handshake is rejected', async (_title, servername, host, replace) => {
    await start(replace);
    respond(200, approval);
    const bytes = requestBytes({ method: 'GET', path: '/orders/1', lines: [`Host: ${host}`] });
    const tls = { ca: serverCa.pem, servername, cert: alpha.pem, key: alpha.privateKeyPem, rejectUnauthorized: false };
    const response = await sendRaw(`https://127.0.0.1:${port}`, bytes, { tls });
    expect([response.status, checks]).toEqual([421, []]);
  });

  test('a token of 16 KB reaches edge and API', async () => {
    await start([]);
    const authorization = `Bearer ${'a'.repeat(16 * 1024)}`;
    respond(200, ['Authorization', authorization]);
    const { received } = await send({ path: '/reports/1', lines: [`Authorization: ${authorization}`] }, alpha);
    expect(checks[0]).toContain(authorization);
    expect(received.map((request) => receivedValues(request, 'Authorization'))).toEqual([[authorization]]);
  });

  test('the proxy secret reaches the edge, and not the API', async () => {
    // In edge-request.conf, and not in edge-protect.conf.
    const own = 'proxy_set_header X-Countersign-Proxy-Secret "";\n\n# A check that takes longer';
    await start([[own, own.replace('""', '"s"')]]);
    respond(200, approval);
    const { received } = await send({ path: '/orders/1', lines: ['X-Countersign-Proxy-Secret: forged'] }, alpha);
    expect(checkFields(checks[0] ?? []).rest).toEqual([['x-countersign-proxy-secret', 's']]);
    expect(received.map((request) => receivedValues(request, 'X-Countersign-Proxy-Secret'))).toEqual([[]]);
  });

  test('the certificate of another CA is forwarded as not verified', async () => {
    await start([]);
    respond(401, []);
    await send({ path: '/orders/1' }, selfSigned({ subject: [['CN', 'alpha']] }));
    expect(checkFields(checks[0] ?? []).verify).toMatch(/^FAILED:/);
  });

  test.each([
    ['"satisfy any"', inLocation('satisfy any;')],
    ['another check', inLocation('auth_request off;')],
    ['underscores in headers', inServer('underscores_in_headers on;')],
    ['invalid headers', inServer('ignore_invalid_headers off;')],
  ])('%s beside an include does not start', async (_title, replace) => {
    await expect(start(replace)).rejects.toThrow('is duplicate');
  });
});

/** What a check consists of. `rest` is empty unless a header of the request became part of it. */
function checkFields([method, path, ...headers]: readonly string[]) {
  const fields = headers.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), headers[index + 1]]] : []));
  const verify = fields.find(([name]) => name === 'x-ssl-client-verify')?.[1];
  const own = ['host', 'x-ssl-client-cert', 'x-ssl-client-verify', 'x-request-id', 'x-forwarded-for'];
  return { head: `${method} ${path}`, verify, rest: fields.filter(([name = '']) => !own.includes(name)) };
}

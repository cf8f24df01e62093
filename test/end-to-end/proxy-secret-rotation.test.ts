import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Decision } from '../support/authorization-server.ts';
import { formOf } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { freePort } from '../support/free-port.ts';
import {
  clientIds,
  type HttpsServer,
  identityOf,
  startHttpsServer,
  victim,
  withoutTls,
} from '../support/https-server.ts';
import { startNginx } from '../support/nginx.ts';
import { shippedConfiguration } from '../support/nginx-configuration.ts';
import { sendRequest } from '../support/raw-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The proxy secret is rotated without rejecting a request of the proxy at any moment. */
const old = 'the-old-secret-0123456789abcdef0123456789';
const next = 'the-next-secret-0123456789abcdef012345678';
const mismatch = 'no certificate: x-countersign-proxy-secret does not match COUNTERSIGN_PROXY_SECRET';
const folder = temporaryDirectory();

const running: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const program of running.splice(0)) await program.stop();
});

async function startServer(content: string): Promise<HttpsServer> {
  const file = join(folder, 'proxy-secret');
  writeFileSync(file, content, { mode: 0o600 });
  const server = await startHttpsServer({ ...withoutTls, COUNTERSIGN_PROXY_SECRET_FILE: file });
  running.push(server);
  return server;
}

const startupMessageOf = (server: HttpsServer) => server.lines.find(({ event }) => event === 'starting')?.message;

function expectToken({ response, event }: Decision): void {
  expect([response.status, event]).toMatchObject([200, { event: 'token_issued', thumbprint: victim.thumbprint }]);
}

function expectRejection({ response, event }: Decision, reason: string): void {
  expect([response.status, response.json().error]).toEqual([400, 'invalid_client']);
  expect(event).toMatchObject({ event: 'token_rejected', reason });
}

describeWith(['nginx'], 'the proxy secret in nginx', () => {
  async function startProxy(server: HttpsServer, secret: string) {
    const port = await freePort();
    const [header, upstream] = ['X-Countersign-Proxy-Secret ""', 'http://countersign'];
    const replace = [
      [header, header.replace('""', `"${secret}"`)],
      [upstream, server.url],
      ['/etc/nginx/countersign/', ''],
    ] as const;
    const files = shippedConfiguration({ replace });
    const own = victim.writeTo(folder, 'victim');
    const http = `server {
      listen 127.0.0.1:${port} ssl;
      server_name proxy.example;
      ssl_certificate ${own.cert};
      ssl_certificate_key ${own.key};
      ssl_trusted_certificate ${own.cert};
      ssl_verify_client optional_no_ca;
      location / { include forward-to-countersign.conf; }
    }`;
    running.unshift(await startNginx({ http, files }));
    return (clientId: string) => {
      const lines = ['Host: proxy.example', 'Content-Type: application/x-www-form-urlencoded', 'Connection: close'];
      const tls = { ...identityOf(victim), servername: 'proxy.example', rejectUnauthorized: false };
      const request = { lines, body: formOf(clientId) };
      return server.decide(() => sendRequest(`https://127.0.0.1:${port}`, request, { tls }));
    };
  }

  test.each([
    ['both secrets, one per line', `${old}\n${next}\n`, ['two proxy secrets (rotation)', 'token', 'token']],
    ['both secrets in the other order', `${next}\r\n${old}`, ['two proxy secrets (rotation)', 'token', 'token']],
    ['the old secret only', old, ['proxy secret', 'token', mismatch]],
    ['the next secret only', `${next}\n`, ['proxy secret', mismatch, 'token']],
  ])('is accepted only if the server has it: %s', async (_, content, [description = '', ...outcomes]) => {
    const server = await startServer(content);
    expect(startupMessageOf(server)).toContain(`trusted proxies: loopback with ${description};`);
    for (const [index, secret] of [old, next].entries()) {
      const decide = await startProxy(server, secret);
      for (const clientId of clientIds) {
        const outcome = outcomes[index] ?? '';
        if (outcome === 'token') expectToken(await decide(clientId));
        else expectRejection(await decide(clientId), outcome);
      }
    }
    const decide = await startProxy(server, `${old.slice(1)}x`);
    for (const clientId of clientIds) expectRejection(await decide(clientId), mismatch);
  });
});

describe('during the rotation of the proxy secret', () => {
  test('a peer with neither of the two secrets is not trusted', async () => {
    const server = await startServer(`${old}\n${next}`);
    const absent = 'no certificate: the proxy sent no x-countersign-proxy-secret, and COUNTERSIGN_PROXY_SECRET is set';
    const repeated = 'no certificate: x-countersign-proxy-secret is repeated';
    const rejected: [string[], string][] = [
      [[], absent],
      [[''], mismatch],
      [[`${old} ${next}`], mismatch],
      [[`${old},${next}`], mismatch],
      [[`${old}${next}`], mismatch],
      [[old.slice(0, -1)], mismatch],
      [[next.toUpperCase()], mismatch],
      [[old, next], repeated],
      [[old, old], repeated],
      [['', next], repeated],
    ];
    for (const [values, reason] of rejected) {
      const lines = values.map((value) => `X-Countersign-Proxy-Secret: ${value}`);
      for (const clientId of clientIds) expectRejection(await server.ask(clientId, { lines }), reason);
    }
    for (const secret of [old, next]) {
      expectToken(await server.ask('chained', { lines: [`X-Countersign-Proxy-Secret: ${secret}`] }));
    }
    expect(JSON.stringify(server.lines)).not.toMatch(/the-(old|next)-secret/);
  });
});

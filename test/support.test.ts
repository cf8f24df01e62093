import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestCa, selfSigned, toPem } from './support/certificates.ts';
import { startProgram } from './support/child-process.ts';
import { startCountersign } from './support/countersign.ts';
import { curl } from './support/curl.ts';
import {
  hugeCertificate,
  withDuplicateExtension,
  withIndefiniteLength,
  withLongFormLength,
  withTrailingBytes,
  x509v1,
} from './support/der-surgery.ts';
import { describeWith } from './support/describe-with.ts';
import { eventually } from './support/eventually.ts';
import { expectWithin } from './support/expect-within.ts';
import { freePort } from './support/free-port.ts';
import type { KeyType } from './support/keys.ts';
import { type RunningNginx, startNginx } from './support/nginx.ts';
import { shippedConfiguration } from './support/nginx-configuration.ts';
import { openssl, opensslThumbprint } from './support/openssl.ts';
import { sendRaw, sendRequest } from './support/raw-http.ts';
import { connectRedis, keyPrefix } from './support/redis.ts';
import { startRedis } from './support/redis-server.ts';
import { runProgram } from './support/run-program.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const rootCa = createTestCa();

describeWith(['openssl'], 'test certificates', () => {
  const directory = temporaryDirectory();
  const { cert: ca } = rootCa.writeTo(directory, 'ca');

  it.each<KeyType>(['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-1024', 'ed25519'])(
    'verify in OpenSSL with %s keys',
    async (keyType) => {
      const { cert } = rootCa.issue({ keyType, dns: ['client.example'] }).writeTo(directory, keyType);
      const { cert: alone } = selfSigned({ keyType }).writeTo(directory, `${keyType}-self`);
      await expect(openssl(['verify', '-purpose', 'sslclient', '-CAfile', ca, cert])).resolves.toContain('OK');
      await expect(openssl(['verify', '-CAfile', alone, alone])).resolves.toContain('OK');
      await expect(openssl(['verify', '-CAfile', ca, alone])).rejects.toThrow('self-signed certificate');
    },
  );

  it('verify in OpenSSL through an intermediate', async () => {
    const intermediate = rootCa.issueIntermediate();
    const { cert: untrusted } = intermediate.writeTo(directory, 'intermediate');
    const { cert } = intermediate.issue().writeTo(directory, 'leaf');
    await expect(openssl(['verify', '-CAfile', ca, '-untrusted', untrusted, cert])).resolves.toContain('OK');
  });

  it('contain what the options specify', async () => {
    const certificate = rootCa.issue({
      subject: [
        ['C', 'GB'],
        ['O', 'Mü', 'bmp'],
        [
          ['CN', Buffer.from('x\0y')],
          ['serialNumber', '1'],
        ],
      ],
      uris: ['spiffe://example/x'],
      ips: ['127.0.0.1'],
      emails: ['a@example.com'],
      eku: 'server',
      serial: 1n,
      notAfter: new Date('2051-01-02T03:04:05Z'),
      signatureHash: 'SHA-1',
    });
    const text = await openssl(['x509', '-noout', '-text', '-nameopt', 'RFC2253'], certificate.pem);
    expect(text).toContain('Subject: CN=x\\00y+serialNumber=1,O=M\\C3\\BC,C=GB');
    expect(text).toContain('URI:spiffe://example/x, IP Address:127.0.0.1, email:a@example.com');
    expect(text).toMatch(/Extended Key Usage:\s+TLS Web Server Authentication/);
    expect(text).toContain('Serial Number: 1 (0x1)');
    expect(text).toContain('Not After : Jan  2 03:04:05 2051 GMT');
    expect(text).toContain('ecdsa-with-SHA1');
    expect(await opensslThumbprint(certificate.pem)).toBe(certificate.thumbprint);
  });

  it('are malformed as their constructors specify', async () => {
    const { der } = rootCa.issue();
    const parse = (bytes: Uint8Array) => openssl(['asn1parse', '-i'], toPem(bytes));
    const text = (pem: string) => openssl(['x509', '-noout', '-text'], pem);
    expect(await parse(withIndefiniteLength(der))).toMatch(/^\s*0:d=0 {2}hl=2 l=inf {2}cons: SEQUENCE/);
    expect(await parse(withLongFormLength(der))).toMatch(/d=2 {2}hl=3 l= {2}16 prim: {3}INTEGER/);
    expect(withTrailingBytes(der)).toHaveLength(der.length + 1);
    expect(await text(x509v1(rootCa).pem)).toContain('Version: 1 (0x0)');
    expect((await text(withDuplicateExtension(rootCa).pem)).match(/Extended Key Usage/g)).toHaveLength(2);
    expect(hugeCertificate(rootCa, 17_000).der.length).toBeGreaterThanOrEqual(17_000);
  });
});

describe('sendRequest', () => {
  it('sends header lines verbatim, and decodes a chunked response', async () => {
    const port = await freePort();
    const reply =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n';
    const received: Buffer[] = [];
    const server = createServer((socket) => {
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
        socket.write(reply);
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const response = await sendRequest(`http://127.0.0.1:${port}`, {
      lines: ['X-A : 1', 'x-a: 2'],
      body: { a: 'b c' },
    });
    expect(response).toMatchObject({ status: 200, body: 'abc' });
    expect(Buffer.concat(received).toString()).toBe(
      'POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
        'Content-Length: 5\r\nX-A : 1\r\nx-a: 2\r\n\r\na=b+c',
    );
    server.close();
  });
});

describeWith(['nginx', 'curl'], 'startNginx', () => {
  const directory = temporaryDirectory();
  const client = rootCa.issue();
  const clientFiles = client.writeTo(directory, 'client');
  const { cert: ca } = rootCa.writeTo(directory, 'ca');
  const socket = join(directory, 'nginx.sock');
  let nginx: RunningNginx;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    url = `https://localhost:${port}`;
    rootCa.issue({ eku: 'server', dns: ['localhost'] }).writeTo(directory, 'server');
    const http = `server {
      listen 127.0.0.1:${port} ssl http2;
      listen unix:${socket};
      ssl_certificate server.pem;
      ssl_certificate_key server-key.pem;
      ssl_client_certificate ca.pem;
      ssl_verify_client optional;
      default_type application/json;
      return 200 '{"cert": "$ssl_client_escaped_cert", "verify": "$ssl_client_verify"}';
    }`;
    nginx = await startNginx({ http, prefix: directory });
  });

  afterAll(async () => {
    expect(await nginx.stop()).toBe(0);
  });

  it('forwards certificate and verification result of curl', async () => {
    const response = await curl([url, '--cacert', ca, '--cert', clientFiles.cert, '--key', clientFiles.key]);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.json()).toEqual({ cert: encodeURIComponent(client.pem), verify: 'SUCCESS' });
    const overHttp2 = await curl([url, '--cacert', ca, '--http2']);
    expect(overHttp2.json()).toEqual({ cert: '', verify: 'NONE' });
  });

  it('forwards certificate and verification result of sendRequest over TLS, and none over a Unix socket', async () => {
    const tls = { ca: rootCa.pem, cert: client.pem, key: client.privateKeyPem };
    const overTls = await sendRequest(url, { method: 'GET', path: '/' }, { tls });
    expect(overTls.json()).toEqual({ cert: encodeURIComponent(client.pem), verify: 'SUCCESS' });
    const overSocket = await sendRaw(`unix:${socket}`, Buffer.from('GET / HTTP/1.0\r\n\r\n'));
    expect(overSocket.json()).toEqual({ cert: '', verify: '' });
  });

  it('reports an invalid configuration, as curl reports a failed connection', async () => {
    await expect(startNginx({ http: 'server { listne 80; }' })).rejects.toThrow('unknown directive "listne"');
    await expect(curl(['https://localhost:1/'])).rejects.toThrow('exit code 7');
    expect(() => shippedConfiguration({ replace: [['no such text', '']] })).toThrow('"no such text"');
  });
});

describeWith(['redis-server'], 'redis-server', () => {
  it('executes commands of connectRedis', async () => {
    const { client, close } = connectRedis();
    const key = `${keyPrefix()}x`;
    expect(await client.ping()).toBe('PONG');
    await client.set(key, '1');
    expect(await client.get(key)).toBe('1');
    await close();
  });

  it('is separate if started with startRedis', async () => {
    const redis = await startRedis({
      program: inject('programs')['redis-server'] ?? '',
      directory: temporaryDirectory(),
    });
    const { client, close } = connectRedis(redis.url);
    expect(await client.dbsize()).toBe(0);
    await close();
    expect(await redis.stop()).toBe(0);
  });
});

describe('startProgram', () => {
  it('stops a program, and rejects if it does not exist', async () => {
    const file = join(temporaryDirectory(), 'program.mjs');
    writeFileSync(file, 'console.log("up"); setInterval(() => {}, 1000);');
    const program = startProgram(process.execPath, [file]);
    expect(await program.stop()).toBe(143);
    await expect(startProgram('/no/such/program', []).exited).rejects.toThrow('ENOENT');
  });

  it('reports why Countersign exits before it listens', async () => {
    await expect(startCountersign({ args: ['no-such-command'] })).rejects.toThrow(/exit code 2; .*no-such-command/s);
  });
});

describe('freePort', () => {
  it('returns other ports in each test process', async () => {
    const module = join(import.meta.dirname, 'support/free-port.ts');
    const script = `import { freePort } from '${module}'; console.log(await freePort());`;
    const portOf = async (pool: number) => {
      const env = { VITEST_POOL_ID: String(pool) };
      const { stdout } = await runProgram(process.execPath, ['--input-type=module', '-e', script], { env });
      return Number(stdout);
    };
    const ports = await Promise.all([1, 2, 3].map(portOf));
    expect(ports.map((port) => Math.floor(port / 1_000))).toEqual([16, 17, 18]);
  });
});

describe('eventually', () => {
  it('rejects after its time limit', async () => {
    await expect(
      eventually(
        () => false,
        () => 'it does not hold',
        50,
      ),
    ).rejects.toThrow('it does not hold');
  });

  it('starts its time limit again after the process was suspended', async () => {
    const start = performance.now();
    let resumed = Number.POSITIVE_INFINITY;
    setTimeout(() => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
      resumed = performance.now();
    }, 1);
    await eventually(
      () => performance.now() > resumed + 20,
      () => `too late after ${performance.now() - start} ms`,
      40,
    );
  });
});

describe('expectWithin', () => {
  it('measures again what took too long once, and rejects if it does so each time', async () => {
    const milliseconds = [1e9, 1, 1e9, 1e9, 1e9];
    const measure = async () => milliseconds.shift() ?? 0;
    await expectWithin(100, measure);
    await expect(expectWithin(100, measure)).rejects.toThrow(/took too long each time: (?:10{9} ms [^,]+(?:, |$)){3}/);
  });

  it('rejects at once if the measurement does: a wrong result is not a delay', async () => {
    const results = [Promise.reject(new Error('wrong result')), Promise.resolve(1)];
    await expect(expectWithin(100, () => results.shift() ?? Promise.resolve(0))).rejects.toThrow('wrong result');
    expect(results).toHaveLength(1);
  });
});

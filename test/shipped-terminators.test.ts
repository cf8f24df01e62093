import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { absentValues, headerFormats } from '../src/terminator/formats.ts';
import { startShippedCaddy } from './support/caddy.ts';
import { createTestCa, type MintedCertificate, selfSigned } from './support/certificates.ts';
import { type Identity, mtlsHost, plainHost } from './support/deployment.ts';
import { hugeCertificate } from './support/der-surgery.ts';
import { describeWith } from './support/describe-with.ts';
import { startShippedEnvoy } from './support/envoy.ts';
import { forwardedAs } from './support/forwarded-as.ts';
import { freePort } from './support/free-port.ts';
import { echoedValues, type HeaderEcho, startHeaderEcho } from './support/header-echo.ts';
import type { HttpResponse } from './support/http-response.ts';
import { sendRequest } from './support/raw-http.ts';
import type { RunningTerminator, ShippedTerminatorOptions } from './support/shipped-terminator.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

type Replacements = Required<ShippedTerminatorOptions>['replace'];

interface Row {
  readonly name: 'envoy' | 'caddy';
  readonly start: (options: ShippedTerminatorOptions) => Promise<RunningTerminator>;
  /** The verification header: with a certificate of the CA, and with any other. */
  readonly verification: { readonly verified: readonly string[]; readonly failed: readonly string[] };
  readonly invalid: Replacements;
  readonly configurationError: string;
  /** The changes that the comments of the configuration describe. */
  readonly withSecret: Replacements;
  readonly forSelfSigned: Replacements;
}

const rows: Row[] = [
  {
    name: 'envoy',
    start: startShippedEnvoy,
    verification: { verified: ['SUCCESS'], failed: ['FAILED'] },
    invalid: [['stat_prefix: mtls', 'nonsense: mtls']],
    configurationError: 'nonsense',
    withSecret: [
      ['# request_headers_to_add:', 'request_headers_to_add:'],
      [
        '# - header: { key: x-countersign-proxy-secret, value: "..." }',
        '- header: { key: x-countersign-proxy-secret, value: s }',
      ],
      ['#   append_action', '  append_action'],
    ],
    forSelfSigned: [['trusted_ca: { filename: /etc/envoy/countersign/client-ca.pem }', '']],
  },
  {
    name: 'caddy',
    start: startShippedCaddy,
    verification: { verified: ['UNVERIFIED'], failed: ['UNVERIFIED'] },
    invalid: [['strict_sni_host on', 'nonsense on']],
    configurationError: 'nonsense',
    withSecret: [
      ['# header_up X-Countersign-Proxy-Secret "..."', 'header_up X-Countersign-Proxy-Secret "s"'],
      ['header_up -X-Countersign-Proxy-Secret', ''],
    ],
    forSelfSigned: [],
  },
];

const clientCa = createTestCa({ subject: [['CN', 'Client CA']] });
const serverCa = createTestCa({ subject: [['CN', 'Server CA']] });
const client = clientCa.issue();
const victim = clientCa.issue({ subject: [['CN', 'victim']] });

/** Every header that any format reads, also with underscores, and the secret. */
const forged = Object.fromEntries([
  ...Object.values(forwardedAs).flatMap((encode) => Object.entries(encode(victim, [victim]))),
  ...['x-countersign-proxy-secret', 'x-request-id', 'x-forwarded-for'].map((field) => [field, 'forged']),
]);
const forgedLines = Object.entries(forged).flatMap(([field, value]) => [
  `${field}: ${value}`,
  `${field.toUpperCase()}: ${value}`,
  // Not the value: with all of them three times, the header came close to the limit of 32 KiB, and sometimes exceeded it.
  `${field.replaceAll('-', '_')}: forged`,
]);

function expectNotCached({ headers }: HttpResponse) {
  expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
}

describe.each(rows)('shipped configuration: $name', ({ name, start, verification, ...row }) => {
  const { certificateHeader, decode } = headerFormats[name];

  describeWith([name], `the shipped configuration of ${name}`, () => {
    const directory = temporaryDirectory();
    let echo: HeaderEcho;
    let port: number;
    let running: RunningTerminator;

    beforeAll(async () => {
      clientCa.writeTo(directory, 'client-ca');
      for (const host of [plainHost, mtlsHost]) {
        serverCa.issue({ eku: 'server', dns: [host] }).writeTo(directory, host);
      }
      echo = await startHeaderEcho();
      port = await freePort();
      running = await start({ directory, port, socket: echo.url });
    });
    afterAll(async () => {
      expect(await running?.stop()).toBe(0);
      await echo.stop();
    });

    interface Request {
      readonly identity?: Identity;
      readonly lines?: readonly string[];
      readonly host?: string;
      readonly sni?: string;
      readonly at?: number;
    }

    function send({ identity, lines = [], host = mtlsHost, sni = host, at = port }: Request) {
      const own = identity && { cert: identity.pem, key: identity.privateKeyPem };
      const tls = { ca: serverCa.pem, servername: sni, ...own };
      return sendRequest(`https://127.0.0.1:${at}`, { method: 'GET', lines: [`Host: ${host}`, ...lines] }, { tls });
    }

    async function withChanges(replace: Replacements, use: (at: number) => Promise<void>, socket = echo.url) {
      const at = await freePort();
      const changed = await start({ directory, port: at, socket, replace });
      await use(at).finally(changed.stop);
    }

    async function expectForwarded(certificate: MintedCertificate, request: Request = {}) {
      const [value = '', ...more] = echoedValues(await send({ identity: certificate, ...request }), certificateHeader);
      expect(more).toEqual([]);
      expect(Buffer.from(decode(value).leaf).equals(certificate.der)).toBe(true);
    }

    it('forwards the certificate, and no header of the client', async () => {
      await expectForwarded(client, { lines: forgedLines });
      const response = await send({ identity: client, lines: forgedLines });
      const own: Record<string, unknown> = {
        [certificateHeader]: [expect.any(String)],
        'x-ssl-client-verify': verification.verified,
        'x-request-id': [expect.stringMatching(/^[0-9a-f-]{36}$/)],
        'x-forwarded-for': [expect.stringMatching(/^[0-9a-f.:]+$/)],
      };
      for (const field of Object.keys(forged)) {
        expect([field, echoedValues(response, field)]).toEqual([field, own[field] ?? []]);
      }
      expect(response.body).not.toContain('_');
    });

    it.each([mtlsHost, plainHost])('forwards no certificate if there is none, at %s', async (host) => {
      const values = echoedValues(await send({ lines: forgedLines, host }), certificateHeader);
      expect(values.filter((value) => value !== '' && !absentValues.has(value))).toEqual([]);
    });

    it('forwards a certificate of nearly 16 KiB beside 31 KiB of headers', async () => {
      await expectForwarded(hugeCertificate(clientCa, 15_000), { lines: [`X-Other: ${'x'.repeat(31 * 1024)}`] });
    });

    it('rejects more than 32 KiB of headers', async () => {
      expect(await send({ lines: [`X-Other: ${'x'.repeat(40 * 1024)}`] })).toMatchObject({ status: 431 });
    });

    it.each<[string, () => Identity]>([
      ['a self-signed certificate', () => selfSigned()],
      ['a certificate of another CA', () => createTestCa({ subject: [['CN', 'Client CA']] }).issue()],
      ['an expired certificate', () => clientCa.issue({ notAfter: new Date(Date.now() - 1000) })],
      ['a server certificate', () => clientCa.issue({ eku: 'server' })],
    ])('forwards %s, and does not report it as verified', async (_, identity) => {
      const response = await send({ identity: identity(), lines: forgedLines });
      expect(echoedValues(response, certificateHeader)).toHaveLength(1);
      expect(echoedValues(response, 'x-ssl-client-verify')).toEqual(verification.failed);
    });

    it('responds with JSON to a request for the other host', async () => {
      for (const [sni, host] of [
        [mtlsHost, plainHost],
        [plainHost, mtlsHost],
      ] as const) {
        const response = await send({ identity: client, sni, host });
        expect(response.status).toBe(421);
        expect(response.json()).toMatchObject({ error: 'invalid_request' });
        expect(response.headers.get('content-type')).toBe('application/json');
        expectNotCached(response);
      }
    });

    it.each(['other.example', `x.${mtlsHost}`, ''])('rejects a handshake for "%s"', async (sni) => {
      await expect(send({ identity: client, sni, host: mtlsHost })).rejects.toThrow(/ECONNRESET|alert/);
    });

    it('responds with JSON if Countersign is unavailable', async () => {
      const unavailable = `http://127.0.0.1:${await freePort()}`;
      await withChanges(
        [],
        async (at) => {
          const response = await send({ at });
          expect(response.status).toBe(503);
          expect(response.json()).toMatchObject({ error: 'temporarily_unavailable' });
          expect(response.headers.get('retry-after')).toBe('2');
          expectNotCached(response);
        },
        unavailable,
      );
    });

    it('sends the proxy secret as described in its comments', async () => {
      await withChanges(row.withSecret, async (at) => {
        const response = await send({ at, lines: forgedLines });
        expect(echoedValues(response, 'x-countersign-proxy-secret')).toEqual(['s']);
      });
    });

    it('accepts self-signed certificates as described in its comments', async () => {
      await withChanges(row.forSelfSigned, (at) => expectForwarded(selfSigned(), { at }));
    });

    it('fails to start with the error if it is invalid', async () => {
      await expect(withChanges(row.invalid, async () => {})).rejects.toThrow(row.configurationError);
      await expect(withChanges([['no such text', '']], async () => {})).rejects.toThrow('"no such text"');
    });
  });
});

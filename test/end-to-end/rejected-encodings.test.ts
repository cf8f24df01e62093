import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuthorizationServer, startAuthorizationServer } from '../support/authorization-server.ts';
import { type CertificateOptions, createTestCa, selfSigned, toPem } from '../support/certificates.ts';
import { formOf } from '../support/deployment.ts';
import {
  withDuplicateExtension,
  withIndefiniteLength,
  withLongFormLength,
  withTrailingBytes,
  x509v1,
} from '../support/der-surgery.ts';
import { describeWith } from '../support/describe-with.ts';
import { rsaPublicKey } from '../support/keys.ts';
import { sendRequest } from '../support/raw-http.ts';

/**
 * Certificates that no TLS handshake can contain, or that nginx itself rejects. They are sent directly to the trusted
 * socket, in the header that nginx would write, with the verification SUCCESS.
 */

const HOUR = 3_600_000;
const subject = [['CN', 'victim']] as const;
const ca = createTestCa();
const genuine = ca.issue({ subject });
const lines = genuine.pem.split('\n');

const issue = (options: CertificateOptions) => encodeURIComponent(ca.issue({ subject, ...options }).pem);
const pem = (text: string) => encodeURIComponent(text);
const encoding = (der: Uint8Array) => pem(toPem(der));
const rsa = (bits: number, exponent?: bigint) =>
  issue({ publicKey: rsaPublicKey({ bits, ...(exponent !== undefined && { exponent }) }) });

/** The value of the header, and the reason in the audit event. */
type Row = readonly [title: string, value: () => string, reason: string | RegExp];

const notOneCertificate: Row[] = [
  ['a byte after the DER', () => encoding(withTrailingBytes(genuine.der)), '1 trailing bytes after the DER'],
  [
    'a second DER after it',
    () => encoding(withTrailingBytes(genuine.der, genuine.der)),
    'trailing bytes after the DER',
  ],
  ['half of the DER', () => encoding(genuine.der.subarray(0, genuine.der.length / 2)), 'not DER: '],
  ['BER of indefinite length', () => encoding(withIndefiniteLength(genuine.der)), 'indefinite length is BER, not DER'],
  ['BER with a long length', () => encoding(withLongFormLength(genuine.der)), 'a length that is not minimally encoded'],
  ['no certificate in the PEM', () => encoding(Buffer.of(0x30, 0)), 'not a certificate'],
  ['an empty PEM', () => encoding(Buffer.of()), 'not DER: the encoding is truncated'],
  ['two PEM blocks', () => pem(genuine.pem + genuine.pem), 'more than one PEM block'],
  ['the CA after it', () => pem(genuine.pem + ca.pem), 'more than one PEM block'],
  ['another before it', () => pem(selfSigned().pem + genuine.pem), 'more than one PEM block'],
  ['text before the PEM', () => pem(`subject=CN = victim\n${genuine.pem}`), 'not a PEM: does not start'],
  ['text after the PEM', () => pem(`${genuine.pem}x`), 'not exactly one canonical PEM block'],
  ['a key after the PEM', () => pem(`${genuine.pem}-----BEGIN X-----`), 'not exactly one canonical PEM block'],
  ['a line feed too many', () => pem(`${genuine.pem}\n`), 'not exactly one canonical PEM block'],
  ['CR and LF', () => pem(genuine.pem.replaceAll('\n', '\r\n')), 'not exactly one canonical PEM block'],
  [
    'one long line',
    () => pem([lines[0], lines.slice(1, -2).join(''), ...lines.slice(-2)].join('\n')),
    'exactly one canonical PEM',
  ],
  ['no end', () => pem(genuine.pem.replace(/-----END.*/s, '')), 'not a PEM: '],
  ['another label', () => pem(toPem(genuine.der, 'TRUSTED CERTIFICATE')), 'not a PEM: does not start'],
];

const notEscaped: Row[] = [
  ['escaped twice', () => pem(pem(genuine.pem)), 'not a PEM: does not start'],
  [
    'plus signs for spaces',
    () => pem(genuine.pem).replaceAll('%20', '+'),
    'an unescaped character that the terminator escapes',
  ],
  ['bare base64', () => Buffer.from(genuine.der).toString('base64'), "this looks like haproxy's encoding"],
  ['a broken escape', () => `${pem(genuine.pem)}%`, 'malformed percent-encoding'],
  ['an escape that is not valid UTF-8', () => `${pem(genuine.pem)}%FF`, 'malformed percent-encoding'],
  ['a NUL after it', () => `${pem(genuine.pem)}%00`, 'not exactly one canonical PEM block'],
  ['RFC 9440', () => `:${Buffer.from(genuine.der).toString('base64')}:`, "this looks like rfc9440's encoding"],
];

const notAcceptable: Row[] = [
  ['expired an hour ago', () => issue({ notAfter: new Date(Date.now() - HOUR / 2) }), /^the certificate expired at /],
  [
    'valid in an hour',
    () => issue({ notBefore: new Date(Date.now() + HOUR) }),
    /^the certificate is not valid before /,
  ],
  ['a CA', () => pem(ca.issueIntermediate({ subject }).pem), 'is a CA certificate (basicConstraints CA:TRUE)'],
  ['the CA itself', () => pem(ca.pem), 'is a CA certificate (basicConstraints CA:TRUE)'],
  ["a server's", () => issue({ eku: 'server' }), 'its extended key usage lacks clientAuth'],
  ['for any purpose', () => issue({ eku: 'any' }), 'its extended key usage lacks clientAuth'],
  ['an RSA key of 1,024 bits', () => issue({ keyType: 'rsa-1024' }), 'has an RSA key of 1024 bits'],
  ['an RSA key of 2,047 bits', () => rsa(2047), 'has an RSA key of 2047 bits'],
  ['an RSA key of 8,200 bits', () => rsa(8200), 'has an RSA key of 8200 bits'],
  ['an RSA key with exponent 3', () => issue({ keyType: 'rsa-2048-e3' }), 'has an RSA key with exponent 3'],
  ['a Bitcoin curve', () => issue({ keyType: 'ec-secp256k1' }), 'has an EC key on secp256k1'],
  ['a SHA-1 signature', () => issue({ signatureHash: 'SHA-1' }), 'is signed with an algorithm that is not accepted'],
  ['X.509 v1', () => pem(x509v1(ca, { subject }).pem), 'is X.509 v1'],
  ['one extension twice', () => pem(withDuplicateExtension(ca, { subject }).pem), 'has extension 2.5.29.37 twice'],
];

const otherName: Row[] = [
  ['a NUL and more', () => issue({ subject: [['CN', Buffer.from('victim\0.example')]] }), 'cannot match any client'],
  ['a NUL at the end', () => issue({ subject: [['CN', Buffer.from('victim\0')]] }), 'cannot match any client'],
  ['no subject', () => issue({ subject: [] }), 'cannot match any client: the subject DN is empty'],
  [
    'more RDNs',
    () =>
      issue({
        subject: [
          ['O', 'x'],
          ['CN', 'victim'],
        ],
      }),
    'subject is "CN=victim,O=x"',
  ],
  ['the name in another attribute', () => issue({ subject: [['OU', 'victim']] }), 'subject is "OU=victim"'],
  ['a name within the name', () => issue({ subject: [['CN', 'x,CN=victim']] }), 'subject is "CN=x\\,CN=victim"'],
  [
    'the name twice',
    () =>
      issue({
        subject: [
          ['CN', 'victim'],
          ['CN', 'victim'],
        ],
      }),
    'subject is "CN=victim,CN=victim"',
  ],
  ['the name as an alternative name', () => issue({ subject: [['CN', 'x']], dns: ['victim'] }), 'subject is "CN=x"'],
];

describeWith(['redis-server'], 'the server issues no token for a header that contains', () => {
  let server: AuthorizationServer;
  beforeAll(async () => {
    server = await startAuthorizationServer({ env: { COUNTERSIGN_CHAIN_VERIFIED_BY: 'header' } });
    await server.register({
      client_id: 'victim',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: 'CN=victim',
    });
  });
  afterAll(() => server?.stop());

  const ask = (value: string) =>
    server.decide(() =>
      sendRequest(server.url, {
        lines: [
          'Content-Type: application/x-www-form-urlencoded',
          `X-SSL-Client-Cert: ${value}`,
          'X-SSL-Client-Verify: SUCCESS',
        ],
        body: formOf('victim'),
      }),
    );

  test.each([...notOneCertificate, ...notEscaped, ...notAcceptable, ...otherName])(
    '%s',
    async (_title, value, reason) => {
      const { response, event } = await ask(value());
      expect([response.status, response.json().error]).toEqual([400, 'invalid_client']);
      const expected = typeof reason === 'string' ? expect.stringContaining(reason) : expect.stringMatching(reason);
      expect(event).toMatchObject({ event: 'token_rejected', reason: expected });
      const next = await ask(pem(genuine.pem));
      expect([next.response.status, next.event.thumbprint]).toEqual([200, genuine.thumbprint]);
    },
  );

  test.each([
    ['a CA', ca.issueIntermediate({ subject })],
    ["a server's", ca.issue({ subject, eku: 'server' })],
  ])('%s certificate, which its audit event names', async (_title, { pem: text, thumbprint }) => {
    const { event } = await ask(pem(text));
    const serial_number = expect.stringMatching(/^[0-9A-F]{2,}$/);
    expect(event).toMatchObject({ subject: 'CN=victim', issuer: 'CN=Test CA', thumbprint, serial_number });
    expect(event).not.toHaveProperty('chain');
  });

  test.each(['', '(null)', '::', '$ssl_client_escaped_cert', '%{SSL_CLIENT_CERT}s'])(
    '"%s" (no certificate) with the verification SUCCESS',
    async (value) => {
      const { response, event } = await ask(value);
      expect([response.status, response.json().error]).toEqual([400, 'invalid_client']);
      expect(event.reason).toMatch(/^x-ssl-client-verify is "SUCCESS", but x-ssl-client-cert contains no certificate/);
    },
  );

  test.each([
    ['a final line feed', () => pem(genuine.pem)],
    ['no final line feed', () => pem(genuine.pem.trimEnd())],
    ['a subject in another case and string type', () => issue({ subject: [['CN', 'VICTIM', 'printable']] })],
    ['an RSA key of 2,048 bits', () => issue({ keyType: 'rsa-2048' })],
    ['the end of its validity in this minute', () => issue({ notAfter: new Date(Date.now() + 60_000) })],
    ['no extended key usage', () => issue({ eku: 'none' })],
    ['server and client usage', () => issue({ eku: 'client+server' })],
  ])('anything unacceptable, but accepts %s', async (_title, value) => {
    const { response, event } = await ask(value());
    expect([response.status, event.event]).toEqual([200, 'token_issued']);
  });
});

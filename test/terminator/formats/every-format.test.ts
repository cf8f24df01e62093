import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import type { HeaderFormat } from '../../../src/terminator/format.ts';
import { apache } from '../../../src/terminator/formats/apache.ts';
import { awsAlb, awsAlbPassthrough } from '../../../src/terminator/formats/aws-alb.ts';
import { azure, azureAppService } from '../../../src/terminator/formats/azure.ts';
import { caddy } from '../../../src/terminator/formats/caddy.ts';
import { cloudflare } from '../../../src/terminator/formats/cloudflare.ts';
import { gcpLb } from '../../../src/terminator/formats/gcp-lb.ts';
import { haproxy } from '../../../src/terminator/formats/haproxy.ts';
import { ingressNginx } from '../../../src/terminator/formats/ingress-nginx.ts';
import { nginx } from '../../../src/terminator/formats/nginx.ts';
import { rfc9440 } from '../../../src/terminator/formats/rfc9440.ts';
import { traefik } from '../../../src/terminator/formats/traefik.ts';
import { createTestCa, toPem } from '../../support/certificates.ts';
import { sequence } from '../../support/der.ts';

type Encode = (bytes: Uint8Array) => string;
/** What a terminator writes for the chain that the client presented, leaf first. */
type EncodeAll = (sent: readonly Uint8Array[]) => string;

const base64: Encode = (bytes) => Buffer.from(bytes).toString('base64');
const byteSequence: Encode = (bytes) => `:${base64(bytes)}:`;
const escapedPem: Encode = (bytes) => encodeURIComponent(toPem(bytes));
const awsPem: Encode = (bytes) => toPem(bytes).replaceAll(' ', '%20').replaceAll('\n', '%0A');
const spacedPem: Encode = (bytes) => toPem(bytes).replaceAll('\n', ' ').trimEnd();

const leaf =
  (encode: Encode): EncodeAll =>
  ([first = Buffer.of()]) =>
    encode(first);
const all =
  (encode: Encode, separator: string): EncodeAll =>
  (sent) =>
    sent.map(encode).join(separator);
const derBase64: EncodeAll = (chain) => base64(Buffer.concat(chain));

interface Row {
  readonly name: string;
  /** Captured from the product, or based on its documentation, its source or headers published by users. */
  readonly evidence: 'captured' | 'as documented';
  readonly format: HeaderFormat;
  readonly write: EncodeAll;
  readonly writeChain?: EncodeAll;
}
const captured = (name: string, format: HeaderFormat, write: EncodeAll, writeChain?: EncodeAll): Row => {
  return { name, evidence: 'captured', format, write, ...(writeChain && { writeChain }) };
};
const documented = (...row: Parameters<typeof captured>): Row => ({ ...captured(...row), evidence: 'as documented' });

const rows = [
  captured('nginx', nginx, leaf(escapedPem)),
  documented('ingress-nginx', ingressNginx, leaf(escapedPem)),
  documented('azure', azure, leaf(escapedPem)),
  captured('rfc9440', rfc9440, leaf(byteSequence), all(byteSequence, ', ')),
  documented('cloudflare', cloudflare, leaf(byteSequence), all(byteSequence, ', ')),
  documented('gcp-lb', gcpLb, leaf(byteSequence), all(byteSequence, ',')),
  captured('haproxy', haproxy, leaf(base64), derBase64),
  captured('caddy', caddy, leaf(base64)),
  documented('azure-app-service', azureAppService, leaf(base64)),
  captured('apache', apache, leaf(spacedPem)),
  documented('traefik', traefik, all(base64, ',')),
  documented('aws-alb', awsAlb, leaf(awsPem)),
  documented('aws-alb-passthrough', awsAlbPassthrough, all(awsPem, '')),
];

const middle = createTestCa().issueIntermediate();
const client = middle.issue();
const other = middle.issue();

/** Edits of a genuine value that no terminator would write. */
const edits: readonly (readonly [title: string, edit: (value: string) => string])[] = [
  ['a letter before it', (value) => `x${value}`],
  ['a letter after it', (value) => `${value}x`],
  ['a space before it', (value) => ` ${value}`],
  ['a NUL after it', (value) => `${value}\0`],
  ['quotation marks around it', (value) => `"${value}"`],
  ['twice, as a list', (value) => `${value}, ${value}`],
  ['without its last quarter', (value) => value.slice(0, (value.length * 3) / 4)],
  ['without its first character', (value) => value.slice(1)],
  ['a space within', (value) => `${value.slice(0, 100)} ${value.slice(100)}`],
  ['a line feed within', (value) => `${value.slice(0, 100)}\n${value.slice(100)}`],
  ['a character beyond ASCII within', (value) => `${value.slice(0, 100)}\u00e9${value.slice(100)}`],
  ['escaped once more', encodeURIComponent],
  ['in base64 once more', (value) => Buffer.from(value).toString('base64')],
  ['in lower case', (value) => value.toLowerCase()],
];

const der = fc.uint8Array({ maxLength: 200 }).map((content): Uint8Array => sequence(content));
const clientSent = fc.tuple(der, fc.array(der, { maxLength: 10 })).map(([first, chain]) => [first, ...chain]);
const withoutLastLineFeed = (value: string) => value.replace(/(?:%0A| )$/, '');

describe.each(rows)('$name ($evidence)', ({ format, write, writeChain }) => {
  const genuine = write([client.der]);
  const read = (value: string) => parseClientCertificate(format.decode(value).leaf);
  const decodeAll = (value: string) => {
    const decoded = format.decode(value);
    return [decoded.leaf, ...decoded.chain].map(base64).join();
  };

  test('a certificate is accepted', () => {
    expect(read(genuine).thumbprint).toBe(client.thumbprint);
  });

  test('an empty value is rejected', () => {
    expect(() => format.decode('')).toThrow(CertificateError);
  });

  test.each(edits)('is rejected: %s', (_, edit) => {
    expect(edit(genuine)).not.toBe(genuine);
    expect(() => read(edit(genuine))).toThrow(CertificateError);
  });

  test.each([
    ['a byte after the DER', [Buffer.concat([client.der, Buffer.of(0)])]],
    ['two certificates for one', [Buffer.concat([client.der, other.der])]],
    ['half a certificate', [client.der.subarray(0, 100)]],
    ['no bytes', [Buffer.of()]],
    ['another DER', [sequence()]],
  ])('is rejected: %s', (_, sent) => {
    expect(() => read(write(sent))).toThrow(CertificateError);
  });

  test('a value in another encoding is rejected', () => {
    for (const { write: writeOther } of rows) {
      const value = writeOther([client.der]);
      if (value !== genuine) expect(() => format.decode(value)).toThrow(CertificateError);
    }
  });

  test('what the terminator writes decodes to the same certificates', () => {
    const holdsChain = write([sequence(), sequence()]) !== write([sequence()]);
    fc.assert(
      fc.property(clientSent, (sent) => {
        expect(decodeAll(write(sent))).toBe((holdsChain ? sent : sent.slice(0, 1)).map(base64).join());
        const chain = sent.slice(1);
        if (writeChain) expect(format.chain?.decode(writeChain(chain)).map(base64)).toEqual(chain.map(base64));
      }),
    );
  });

  test('only the exact value decodes to the certificates, and any other one to others or a CertificateError', () => {
    const anyEdit = fc.tuple(fc.nat(), fc.nat(20), fc.string({ maxLength: 6 }));
    fc.assert(
      fc.property(clientSent, anyEdit, fc.string(), (sent, [at, cut, junk], anything) => {
        const written = write(sent);
        const place = at % (written.length + 1);
        for (const value of [anything, written.slice(0, place) + junk + written.slice(place + cut)]) {
          try {
            if (decodeAll(value) !== decodeAll(written)) continue;
            expect(withoutLastLineFeed(value)).toBe(withoutLastLineFeed(written));
          } catch (error) {
            expect(error).toBeInstanceOf(CertificateError);
          }
        }
      }),
    );
  });
});

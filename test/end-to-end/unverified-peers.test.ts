import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CertificateOptions, createTestCa, selfSigned, type TestCa, toPem } from '../support/certificates.ts';
import { curl } from '../support/curl.ts';
import { startDevelopmentServer } from '../support/development-server.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { clientIds, serverCa, startHttpsServer, tokenRequest } from '../support/https-server.ts';
import type { KeyPair } from '../support/keys.ts';
import { openTls } from '../support/open-connection.ts';
import { requestBytes, sendRaw } from '../support/raw-http.ts';
import { startRecordRelay } from '../support/record-relay.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/**
 * Whatever certificate a peer presents, the TLS servers of `serve` and `dev` answer with a reason in the log, or log why
 * the handshake has failed.
 */
interface Identity {
  readonly cert?: string;
  readonly key?: string;
}

/** Issues certificates that are accepted unless an option spoils them. */
interface Issuers {
  readonly ca: TestCa;
  /** Has the same name, and another key. */
  readonly impostor: TestCa;
  readonly usual: CertificateOptions;
}

interface Target {
  readonly port: number;
  readonly ca: string;
  readonly issuers: Issuers;
  /** A token request for the client that the usual certificate may act for. */
  readonly request: Uint8Array;
  /** The lines of the log since the start. */
  readonly log: () => readonly string[];
  readonly stop: () => Promise<unknown>;
}

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
/** The type of a handshake message (RFC 5246 §7.4). */
const CERTIFICATE = 11;
const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35';
const YEAR = 365 * 24 * 3_600_000;
const P256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

const kinds = {
  none: () => ({}),
  usual: ({ ca, usual }) => ca.issue(usual),
  'of a CA of the same name': ({ impostor, usual }) => impostor.issue(usual),
  'of a CA of the same name, without key identifiers': ({ impostor, usual }) =>
    impostor.issue({ ...usual, withoutExtensions: [AUTHORITY_KEY_IDENTIFIER] }),
  'with a corrupt signature': ({ ca, usual }) => {
    const { der, privateKeyPem } = ca.issue(usual);
    return { pem: toPem(Buffer.concat([der.subarray(0, -4), Buffer.of(1, 1, 1, 1)])), privateKeyPem };
  },
  'below an intermediate with another key': ({ ca, usual }) => {
    const intermediate = ca.issueIntermediate();
    const leaf = createTestCa({ subject: intermediate.subject }).issue({
      ...usual,
      withoutExtensions: [AUTHORITY_KEY_IDENTIFIER],
    });
    return { pem: leaf.pem + intermediate.pem, privateKeyPem: leaf.privateKeyPem };
  },
  'below an intermediate of a CA of the same name': ({ impostor, usual }) => {
    const intermediate = impostor.issueIntermediate({ withoutExtensions: [AUTHORITY_KEY_IDENTIFIER] });
    const leaf = intermediate.issue(usual);
    return { pem: leaf.pem + intermediate.pem, privateKeyPem: leaf.privateKeyPem };
  },
  'followed by sixty others': ({ ca, usual }) => {
    const leaf = ca.issue(usual);
    const others = Array.from({ length: 60 }, () => selfSigned().pem);
    return { pem: [leaf.pem, ...others].join(''), privateKeyPem: leaf.privateKeyPem };
  },
  'self-signed': ({ usual }) => selfSigned(usual),
  expired: ({ ca, usual }) => ca.issue({ ...usual, notAfter: new Date(Date.now() - 60_000) }),
  'not yet valid': ({ ca, usual }) => ca.issue({ ...usual, notBefore: new Date(Date.now() + YEAR) }),
  'with a key of RSA 1024': ({ ca, usual }) => ca.issue({ ...usual, keyType: 'rsa-1024' }),
  'with a key of Ed25519': ({ ca, usual }) => ca.issue({ ...usual, keyType: 'ed25519' }),
  'with a key of Ed448': ({ ca, usual }) => ca.issue({ ...usual, keyType: 'ed448' }),
  'with a key on brainpoolP256r1': ({ ca, usual }) => ca.issue({ ...usual, keyType: 'ec-brainpool-p256r1' }),
  'with a key on secp256k1': ({ ca, usual }) => ca.issue({ ...usual, keyType: 'ec-secp256k1' }),
  'signed with SHA-1': ({ ca, usual }) => ca.issue({ ...usual, signatureHash: 'SHA-1' }),
  'without key usage': ({ ca, usual }) => ca.issue({ ...usual, keyUsage: [] }),
  'for servers only': ({ ca, usual }) => ca.issue({ ...usual, eku: 'server' }),
  'of a CA itself': ({ ca, usual }) => ca.issue({ ...usual, ca: true }),
  'with malformed basic constraints': ({ ca, usual }) =>
    ca.issue({ ...usual, rawBasicConstraints: Buffer.of(0x30, 3, 2, 1, 1) }),
  'with a malformed extension': ({ ca, usual }) =>
    ca.issue({ ...usual, extraExtensions: [{ oid: '2.5.29.32', critical: true, value: Buffer.of(0x30, 5, 1) }] }),
  'of version 1': ({ ca, usual }) => ca.issue({ ...usual, version: 1 }),
  'whose private key the peer does not have': ({ ca, usual }) => withWrongKey(ca.issue(usual)),
  'of a CA of the same name, whose private key the peer does not have': ({ impostor, usual }) =>
    withWrongKey(impostor.issue({ ...usual, withoutExtensions: [AUTHORITY_KEY_IDENTIFIER] })),
} satisfies Record<string, (issuers: Issuers) => { pem?: string; privateKeyPem?: string }>;

type Kind = keyof typeof kinds;

/** OpenSSL compares the public keys only. */
function withWrongKey({ pem, keys }: { pem: string; keys: KeyPair }) {
  const der = Buffer.from(keys.privateKey.export({ type: 'sec1', format: 'der' }));
  const other = P256().privateKey.export({ format: 'jwk' });
  // The private key is the second element of the sequence.
  Buffer.from(String(other.d), 'base64url').copy(der, 7);
  return { pem, privateKeyPem: toPem(der, 'EC PRIVATE KEY') };
}

const verified: readonly Kind[] = [
  'usual',
  'followed by sixty others',
  'with a key of Ed25519',
  'with a key of Ed448',
  'without key usage',
];
/** OpenSSL verifies these as well: what uses the certificate decides. */
const accepted: readonly Kind[] = [
  'with a key on brainpoolP256r1',
  'with malformed basic constraints',
  'with a malformed extension',
  'of version 1',
];
/** The handshake fails. */
const failing: Readonly<Partial<Record<Kind, RegExp>>> = {
  'whose private key the peer does not have': /in the TLS handshake: .*does not prove that it has its private key/,
  'of a CA of the same name, whose private key the peer does not have': /in the TLS handshake: .*does not prove/,
};
/** Not with TLS 1.3, where a client of OpenSSL does not present these. */
const failingInTls12: typeof failing = {
  'with a key on brainpoolP256r1': /in the TLS handshake: .* another curve than P-256/,
  'with a key on secp256k1': /in the TLS handshake: .* another curve than P-256/,
};

const targets: Readonly<Record<'serve' | 'dev', () => Promise<Target>>> = {
  serve: async () => {
    const subject = [['CN', 'Proxy CA']] as const;
    const issuers = {
      ca: createTestCa({ subject }),
      impostor: createTestCa({ subject }),
      usual: { dns: ['gw.internal'] },
    };
    const server = await startHttpsServer({
      COUNTERSIGN_PROXY_CA_FILE: issuers.ca.writeTo(temporaryDirectory(), 'proxy-ca').cert,
      COUNTERSIGN_PROXY_SANS: 'gw.internal',
    });
    const decisions: readonly unknown[] = ['token_issued', 'token_rejected', 'request_malformed'];
    const log = () => server.lines.filter(({ event }) => decisions.includes(event)).map((line) => JSON.stringify(line));
    const request = tokenRequest(clientIds[0]);
    return { port: Number(new URL(server.url).port), ca: serverCa, issuers, request, log, stop: server.stop };
  },
  dev: async () => {
    const folder = temporaryDirectory();
    const server = await startDevelopmentServer(folder, await freePort());
    const read = (name: string) => readFileSync(join(folder, '.countersign', name), 'utf8');
    const keys = { privateKey: createPrivateKey(read('ca-key.pem')), publicKey: createPublicKey(read('ca.pem')) };
    const subject = [['CN', 'Countersign development CA']] as const;
    const issuers = {
      ca: createTestCa({ subject, keys }),
      impostor: createTestCa({ subject }),
      usual: {
        subject: [
          ['O', 'company'],
          ['OU', 'production'],
          ['CN', 'mtls.client'],
        ],
      },
    } as const;
    const body = { grant_type: 'client_credentials', client_id: 'mtls.client', scope: 'api1' };
    const log = () =>
      server
        .stdout()
        .split('\n')
        .filter((line) => /^\d\d:\d\d:\d\d /.test(line));
    return { port: server.port, ca: read('ca.pem'), issuers, request: requestBytes({ body }), log, stop: server.stop };
  },
};

describe.each(Object.entries(targets))('the TLS server of %s', (_, start) => {
  let target: Target;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target?.stop());

  function identityOf(kind: Kind): Identity {
    const { pem, privateKeyPem }: { pem?: string; privateKeyPem?: string } = kinds[kind](target.issuers);
    return pem === undefined || privateKeyPem === undefined ? {} : { cert: pem, key: privateKeyPem };
  }

  /** What the server responds, and the one line that it logs about it. */
  async function ask(identity: Identity, version: 'TLSv1.2' | 'TLSv1.3', bytes: Uint8Array, port = target.port) {
    const before = target.log().length;
    const tls = { ...identity, ca: target.ca, minVersion: version, maxVersion: version } as const;
    const options = { tls: { ...tls, ciphers: 'DEFAULT@SECLEVEL=0' } };
    const outcome = await sendRaw(`https://localhost:${port}`, bytes, options).then(
      ({ status, body }) => ({ status, body }),
      (error: Error) => ({ status: undefined, body: error.message }),
    );
    const lines = () => target.log().slice(before);
    return { ...outcome, lines };
  }

  test.each(versions)(
    'responds to a certificate of a CA of the same name that arrives on its own (%s)',
    async (version) => {
      const port = await startRecordRelay(target.port);
      const identity = identityOf('of a CA of the same name, without key identifiers');
      const { status, body, lines } = await ask(identity, version, target.request, port);
      expect([status, JSON.parse(body).error]).toEqual([400, 'invalid_client']);
      await eventually(
        () => lines().length > 0,
        () => 'nothing is logged',
      );
    },
  );

  test('logs why it cannot parse a certificate', async () => {
    // Before TLS 1.3, a certificate is not encrypted.
    const spoil = (record: Buffer) => (record[5] === CERTIFICATE ? Buffer.from(record).fill(0xff, 20) : record);
    const port = await startRecordRelay(target.port, spoil);
    const { status, lines } = await ask(identityOf('usual'), 'TLSv1.2', target.request, port);
    await eventually(
      () => lines().length > 0,
      () => 'nothing is logged',
    );
    expect([status, lines()]).toEqual([
      undefined,
      [expect.stringMatching(/certificate that the peer presented is malformed/)],
    ]);
  });

  test('serves the keys to curl with a certificate of a CA of the same name, twice on one connection', async () => {
    const folder = temporaryDirectory();
    const { impostor, usual } = target.issuers;
    const options = { ...usual, withoutExtensions: [AUTHORITY_KEY_IDENTIFIER] };
    const { cert, key } = impostor.issue(options).writeTo(folder, 'client');
    const url = `https://localhost:${target.port}/jwks`;
    const response = await curl(['--insecure', '--cert', cert, '--key', key, url, url]);
    expect(response.status).toBe(200);
  });

  test.each(versions)('resumes no session, with any certificate in it (%s)', async (version) => {
    const impostor = identityOf('of a CA of the same name, without key identifiers');
    const url = `https://localhost:${target.port}`;
    const options = { ca: target.ca, minVersion: version, maxVersion: version } as const;
    for (const first of [impostor, identityOf('usual'), {}]) {
      const began = await openTls(url, { ...options, ...first });
      let session = began.socket.getSession();
      began.socket.on('session', (later) => {
        session = later;
      });
      began.socket.write(requestBytes({ method: 'GET', path: '/jwks', lines: ['Connection: close'] }));
      await eventually(began.closed, began.received);
      expect(session).toBeDefined();
      const second = await openTls(url, { ...options, ...impostor, session });
      expect(second.socket.isSessionReused()).toBe(false);
      second.socket.write(target.request);
      await eventually(() => second.received().includes('"invalid_client"'), second.received);
      expect(second.received()).toMatch(/^HTTP\/1.1 400 /);
      second.socket.destroy();
    }
  });

  const rows = versions.flatMap((version) => (Object.keys(kinds) as Kind[]).map((kind) => ({ kind, version })));

  test.each(rows)('responds to a certificate $kind, or logs why it does not ($version)', async ({ kind, version }) => {
    const failure = failing[kind] ?? (version === 'TLSv1.2' ? failingInTls12[kind] : undefined);
    const { status, body, lines } = await ask(identityOf(kind), version, target.request);
    await eventually(
      () => lines().length > 0,
      () => `nothing is logged, and the response is ${status} ${body}`,
    );
    expect(lines()).toHaveLength(1);
    if (failure) {
      expect([status, lines()[0]]).toEqual([undefined, expect.stringMatching(failure)]);
      expect(lines()[0]).toContain('127.0.0.1');
    } else if (accepted.includes(kind)) expect([200, 400]).toContain(status);
    else if (verified.includes(kind)) expect([status, lines()[0]]).toEqual([200, expect.stringMatching(/issued/)]);
    else {
      expect([status, JSON.parse(body).error]).toEqual([400, 'invalid_client']);
      expect(lines()[0]).toMatch(/certificate/);
    }
  });
});

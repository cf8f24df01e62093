import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { settingsHelp } from '../../src/settings/reference.ts';
import { type CertificateOptions, createTestCa, selfSigned, thumbprintOf } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { createCrl } from '../support/crls.ts';
import { alternativeNames, unknownOtherName } from '../support/general-names.ts';
import { openssl, opensslThumbprint } from '../support/openssl.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const file = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const certificate = createTestCa().issue({
  subject: [
    ['O', 'company'],
    ['CN', 'client'],
  ],
  dns: ['a.example'],
});

describe('countersign', () => {
  test.each([
    [['--help'], 'countersign ['],
    [['help', 'clients', 'apply'], 'countersign clients apply'],
    [['clients', '--help'], 'countersign clients'],
    [['clients', 'help', 'import', 'keycloak'], 'countersign clients import keycloak'],
  ])('%s prints help', async (args, usage) => {
    const { code, stdout } = await runCountersign(args);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: ${usage}`);
  });

  test.each([[['serve', '--help']], [['help', 'serve']]])('%s lists the settings', async (args) => {
    const { code, stdout } = await runCountersign(args);
    expect([code, stdout]).toEqual([0, expect.stringContaining(settingsHelp())]);
  });

  test('prints its version', async () => {
    expect((await runCountersign(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    [['sreve'], '(Did you mean serve?)'],
    [['--nope'], '--nope'],
    [['dev', '--port', 'x'], '1 to 65535'],
    [['certificate'], 'file'],
    [['certificate', 'x', '--output', 'xml'], 'text, json'],
    [['clients', 'chekc'], '(Did you mean check?)'],
    [['clients', 'import', 'keycloack'], '(Did you mean keycloak?)'],
    [['help', 'clients', 'chekc'], 'countersign clients --help'],
    [['help', 'clients', 'chekc'], '(Did you mean check?)'],
    [['help', 'sreve'], '(Did you mean serve?)'],
    [['help', 'nope'], "unknown command 'nope'"],
    [['clients', 'help', 'nope'], "unknown command 'nope'"],
    [['clients', 'help', 'chekc'], '(Did you mean check?)'],
    [['clients', 'import', 'help', 'keycloack'], '(Did you mean keycloak?)'],
    [['clients', 'help', 'check', 'nope'], "unknown command 'nope'"],
    [['dev', '--prot', '1'], '(Did you mean --port?)'],
    [['clients', 'plan', '-f', 'x', '--pruen'], '(Did you mean --prune?)'],
    [['clients', 'import', 'keycloak', 'x', '--uot', 'y'], '(Did you mean --out?)'],
  ])('%s is rejected with a fix', async (args, fix) => {
    const { code, stderr } = await runCountersign(args);
    expect(code).toBe(2);
    expect(stderr).toContain(fix);
    expect(stderr).not.toContain(' at ');
    expect(stderr).not.toContain('Usage:');
  });
});

describe('countersign serve without configuration', () => {
  test('lists every missing setting and how to fix it', async () => {
    const { code, stderr, stdout } = await runCountersign(['serve']);
    expect([code, stdout]).toEqual([2, '']);
    for (const name of ['ISSUER', 'TERMINATOR', 'CLIENTS_FILE', 'SIGNING_KEY_FILE (or COUNTERSIGN_SIGNING_KEY)']) {
      expect(stderr).toContain(`COUNTERSIGN_${name}: is missing`);
    }
    expect(stderr).toContain('openssl genpkey');
    expect(stderr).not.toContain(' at ');
  });

  test('suggests the closest setting for a misspelt one', async () => {
    const env = { COUNTERSIGN_ISSUR: 'https://auth.example', COUNTERSIGN_VERDICT_HEADER: 'X-Verify' };
    const { code, stderr } = await runCountersign(['serve'], { env });
    expect(code).toBe(2);
    expect(stderr).toContain('unknown setting COUNTERSIGN_ISSUR has no effect (did you mean COUNTERSIGN_ISSUER?)');
    expect(stderr).toContain('COUNTERSIGN_VERDICT_HEADER has no effect (did you mean COUNTERSIGN_VERIFY_HEADER?)');
    expect(stderr).toContain('COUNTERSIGN_ISSUER: is missing');
  });

  test('lists the errors of the key and of the clients together', async () => {
    const env = {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_TERMINATOR: 'rfc9440',
      COUNTERSIGN_SIGNING_KEY: 'not a key',
      COUNTERSIGN_CLIENTS_FILE: file('invalid.yaml', '- {client_id: a, token_endpoint_auth_method: tls_client_auth}'),
    };
    const { code, stderr } = await runCountersign(['serve'], { env });
    expect(code).toBe(2);
    expect(stderr).toContain('COUNTERSIGN_SIGNING_KEY: contains no private key in PEM or JWK');
    expect(stderr).toContain('client "a": tls_client_auth_subject_dn: is missing');
  });

  test('rejects tls_client_auth if the chain is not verified', async () => {
    const env = {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_TERMINATOR: 'rfc9440',
      COUNTERSIGN_SIGNING_KEY: await openssl(['genpkey', '-algorithm', 'ed25519']),
      COUNTERSIGN_CLIENTS_FILE: file(
        'named.yaml',
        '- {client_id: a, token_endpoint_auth_method: tls_client_auth, tls_client_auth_san_dns: a}',
      ),
    };
    const { code, stderr } = await runCountersign(['serve'], { env });
    expect(code).toBe(2);
    expect(stderr).toContain(
      'client a uses tls_client_auth, but its certificate chain is not verified: COUNTERSIGN_CLIENT_CA_FILE is not set',
    );
  });
});

describe('countersign clients check', () => {
  const valid =
    '- {client_id: a, token_endpoint_auth_method: tls_client_auth, tls_client_auth_subject_dn: "CN=a", scope: x}';

  test('lists the valid clients', async () => {
    const { code, stdout } = await runCountersign(['clients', 'check', file('valid.yaml', valid)]);
    expect(code).toBe(0);
    expect(stdout).toContain('a  enabled  tls_client_auth  x');
    expect(stdout).toContain('1 valid client, 1 warning, 0 errors');
    expect(stdout).not.toContain('\u001b');
  });

  test('reports file, client and field of each error', async () => {
    const path = file('problems.yaml', `${valid}\n- {client_id: b, token_endpoint_auth_method: none, scope: '"'}`);
    const { code, stdout } = await runCountersign(['clients', 'check', path]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/problems\.yaml:2:18: client "b": token_endpoint_auth_method: expected/);
    expect(stdout).toContain('client "b": scope');
  });

  test('prints JSON with --output json', async () => {
    const path = file('json.yaml', `${valid}\n- {client_id: b}`);
    const { code, stdout } = await runCountersign(['clients', 'check', path, '--output', 'json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      clients: ['a'],
      errors: [{ client: 'b', field: 'token_endpoint_auth_method' }],
    });
  });

  test('accepts a SHA-1 thumbprint if COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS is true', async () => {
    const seed =
      '- {client_id: a, client_secrets: [{type: X509Thumbprint, value: bca0d040847f843c5ee0fa6eb494837470155868}]}';
    const path = file('seed.yaml', seed);
    expect((await runCountersign(['clients', 'check', path])).code).toBe(1);
    const allowed = await runCountersign(['clients', 'check', path], {
      env: { COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS: 'true' },
    });
    expect([allowed.code, allowed.stdout]).toEqual([0, expect.stringContaining('SHA-1')]);
  });

  test('warns about two clients with one certificate, and rejects them if certificates must be unique', async () => {
    const { pem, thumbprint } = selfSigned();
    const client = (client_id: string, certificate: object) => ({
      client_id,
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      certificates: [certificate],
    });
    const paths = [
      file('identities.json', JSON.stringify([client('a', { pem }), client('b', { pem: selfSigned().pem })])),
      file('more-identities.json', JSON.stringify([client('c', { thumbprint })])),
    ];
    const { code, stdout } = await runCountersign(['clients', 'check', ...paths]);
    expect(code).toBe(0);
    const shared = `is shared by 2 clients: a (${paths[0]}:1), c (${paths[1]}:1)`;
    expect(stdout).toContain(`warning thumbprint ${thumbprint} ${shared}`);
    expect(stdout).toContain('3 valid clients, 1 warning, 0 errors');
    const asked = await runCountersign(['clients', 'check', ...paths, '--output', 'json']);
    const report = { shared: [{ identity: `thumbprint ${thumbprint}`, clients: ['a', 'c'] }] };
    expect(JSON.parse(asked.stdout)).toMatchObject({ ok: true, ...report });
    const env = { COUNTERSIGN_UNIQUE_CERTIFICATES: 'true' };
    const rejected = await runCountersign(['clients', 'check', ...paths, '--output', 'json'], { env });
    expect([rejected.code, JSON.parse(rejected.stdout)]).toMatchObject([
      1,
      { ok: false, errors: [{ client: 'a', message: expect.stringContaining(shared) }], ...report },
    ]);
  });

  test('warns about an unknown setting', async () => {
    const { code, stdout, stderr } = await runCountersign(
      ['clients', 'check', file('valid.yaml', valid), '-o', 'json'],
      {
        env: { COUNTERSIGN_REQUIRE_CA_PINS: 'true' },
      },
    );
    expect([code, JSON.parse(stdout).ok]).toEqual([0, true]);
    expect(stderr).toBe(
      'countersign: warning: unknown setting COUNTERSIGN_REQUIRE_CA_PINS has no effect (did you mean COUNTERSIGN_REQUIRE_CA_PIN?)\n',
    );
  });

  test('lists every missing file, and checks the others', async () => {
    const paths = ['/nowhere.yaml', file('valid.yaml', valid), '/nor-here'];
    const { code, stdout } = await runCountersign(['clients', 'check', ...paths]);
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/error \/nowhere\.yaml: no such file.*error \/nor-here: no such file/s),
    ]);
    expect(stdout).toContain('1 valid client, 1 warning, 2 errors');
  });
});

describe('countersign certificate --ca', () => {
  const root = createTestCa({ subject: [['CN', 'Root']] });
  const issuing = root.issueIntermediate({ subject: [['CN', 'Issuing']] });
  const leaf = issuing.issue({ subject: [['CN', 'client']] });
  const leafFile = file('leaf.pem', leaf.pem);
  const roots = ['--ca', file('roots.pem', root.pem)];
  const bundle = ['--ca', file('bundle.pem', root.pem + issuing.pem)];
  const crlOf = (name: string, content: Uint8Array) => ['--crl', file(name, content)];
  const verify = (...args: string[]) => runCountersign(['certificate', leafFile, ...args]);

  test('prints the path as a tree', async () => {
    const { code, stdout } = await verify(...bundle);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Verified certification path:\nCN=Root {2}key .*\n└─ CN=Issuing {2}key .*\n {3}└─ CN=client$/m,
    );
  });

  test('uses the intermediates in the file of the certificate', async () => {
    const chain = file('chain.pem', leaf.pem + issuing.pem);
    const { code, stdout } = await runCountersign(['certificate', chain, ...roots, '--output', 'json']);
    expect(code).toBe(0);
    const ca_certificates = [{ subject: 'CN=Root' }, { subject: 'CN=Issuing' }];
    expect(JSON.parse(stdout).path).toMatchObject({ verified: true, ca_certificates, subject: 'CN=client' });
  });

  test('reports certificate, violation and RFC section if the path is invalid', async () => {
    const { code, stdout } = await verify(...roots);
    expect(code).toBe(1);
    expect(stdout).toContain(
      'Not verified: the certificate has no known issuer: "CN=Issuing" is neither configured nor forwarded (RFC 5280 §6.1.3 (a)(4))',
    );
  });

  test('checks the CRLs given with --crl', async () => {
    const good = [...crlOf('root.crl', createCrl(root)), ...crlOf('issuing.crl', createCrl(issuing))];
    expect((await verify(...bundle, ...good)).code).toBe(0);
    const revoking = crlOf('revoking.crl', createCrl(issuing, { revoked: [leaf] }));
    const revoked = await verify(...bundle, ...crlOf('root.crl', createCrl(root)), ...revoking);
    expect([revoked.code, revoked.stdout]).toEqual([
      1,
      expect.stringContaining('the certificate is revoked by CA "CN=Issuing"'),
    ]);
    const without = await verify(...bundle, ...revoking.slice(0, 0), ...crlOf('root.crl', createCrl(root)));
    expect(without.stdout).toContain('there is no CRL of CA "CN=Issuing"');
  });

  test.each([
    ['a CA file that does not exist', ['--ca', '/nowhere.pem'], '/nowhere.pem'],
    ['a CA file with a client certificate', ['--ca', leafFile], 'is not a CA certificate'],
    ['a CRL file without a CRL', [...bundle, '--crl', leafFile], `${leafFile}: contains no CRL`],
    ['a CRL file that does not exist', [...bundle, '--crl', '/nowhere.crl'], '/nowhere.crl: no such file or directory'],
    [
      'every CRL file that cannot be used',
      [...bundle, '--crl', leafFile, ...crlOf('cut-off.crl', createCrl(root).subarray(0, 100))],
      'cut-off.crl: contains no CRL, neither PEM (-----BEGIN X509 CRL-----) nor DER: it is DER that is cut off',
    ],
    [
      'a CRL of an unknown issuer',
      [...bundle, ...crlOf('x.crl', createCrl(createTestCa({ subject: [['CN', 'X']] })))],
      'has issuer "CN=X"',
    ],
  ])('reports %s', async (_, args, message) => {
    const { code, stderr } = await verify(...args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(stderr).not.toContain(' at ');
  });
});

describe('countersign certificate with COUNTERSIGN_CLIENT_CA_FILE', () => {
  const ca = createTestCa();
  test('does not read its file if --ca names another', async () => {
    const args = ['certificate', '-', '--ca', file('named.pem', ca.pem)];
    const env = { COUNTERSIGN_CLIENT_CA_FILE: '/nowhere.pem' };
    const { code, stderr } = await runCountersign(args, { env, input: ca.issue().pem });
    expect([code, stderr]).toEqual([0, '']);
  });

  const env = { COUNTERSIGN_CLIENT_CA_FILE: file('configured.pem', ca.pem) };
  const printedFor = async (pem: string, ...args: string[]) => {
    const { code, stdout } = await runCountersign(['certificate', '-', '-o', 'json', ...args], { env, input: pem });
    return { code, ...JSON.parse(stdout) };
  };

  test('verifies the certificate, and rejects one of another CA', async () => {
    expect(await printedFor(ca.issue().pem)).toMatchObject({ code: 0, path: { verified: true } });
    const other = createTestCa({ subject: [['CN', 'Other']] });
    expect(await printedFor(other.issue().pem)).toMatchObject({ code: 1, path: { verified: false } });
    const trusted = ['--ca', file('other.pem', other.pem)];
    expect(await printedFor(other.issue().pem, ...trusted)).toMatchObject({ code: 0, path: { verified: true } });
  });

  test('does not verify a self-signed certificate, or that of a CA', async () => {
    for (const { pem } of [selfSigned(), ca]) {
      const printed = await printedFor(pem);
      expect(printed).toMatchObject({ code: 0, rejected: [] });
      expect(printed).not.toHaveProperty('path');
    }
  });
});

describe('countersign certificate', () => {
  test('reads PKCS #12 with the password in a file', async () => {
    const { cert, key } = certificate.writeTo(folder, 'in-pkcs12');
    const out = join(folder, 'client.p12');
    await openssl(['pkcs12', '-export', '-in', cert, '-inkey', key, '-passout', 'pass:secret', '-out', out]);
    const password = ['--password-file', file('password', 'secret\n')];
    const { code, stdout } = await runCountersign(['certificate', out, ...password, '-o', 'json']);
    expect([code, JSON.parse(stdout).thumbprint]).toEqual([0, certificate.thumbprint]);
    const without = await runCountersign(['certificate', out]);
    expect([without.code, without.stderr]).toEqual([
      1,
      expect.stringContaining(`${out}: is protected by a password: `),
    ]);
    const both = await runCountersign(['certificate', out, ...password, '--password', 'secret']);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('mutually exclusive')]);
  });

  test.each([
    ['PEM', certificate.pem],
    ['DER', certificate.der],
  ])('reads %s', async (name, content) => {
    const { code, stdout } = await runCountersign([
      'certificate',
      file(`certificate-${name}`, content),
      '--output',
      'json',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      subject: 'CN=client,O=company',
      alternative_names: { dns: ['a.example'] },
      thumbprint: await opensslThumbprint(certificate.pem),
      rejected: [],
    });
  });

  test('prints records that "clients check" accepts as they are', async () => {
    const { stdout } = await runCountersign(['certificate', '-'], { input: certificate.pem });
    const records = stdout.split(/^By .*$/m).slice(1);
    expect(records).toHaveLength(4);
    for (const [index, record] of records.entries()) {
      const { code, stdout: checked } = await runCountersign(['clients', 'check', file(`paste-${index}.yaml`, record)]);
      expect([code, checked]).toEqual([0, expect.stringContaining('1 valid client')]);
    }
  });

  test.each([
    [
      'an expired certificate',
      selfSigned({ notBefore: new Date('2020-01-01'), notAfter: new Date('2020-02-01') }),
      'expired',
    ],
    ['a server certificate', createTestCa().issue({ eku: 'server' }), 'lacks clientAuth'],
  ])('reports that the server rejects %s', async (_, { pem }, reason) => {
    const { code, stdout } = await runCountersign(['certificate', file('refused.pem', pem)]);
    expect([code, stdout]).toEqual([1, expect.stringContaining(reason)]);
    expect(stdout).toContain('Rejected by the server');
    expect(stdout).not.toContain('client_id');
  });

  /** Its records, and what is printed after them. */
  const suggestionsFor = async (options: CertificateOptions, ...args: string[]) => {
    const path = file('suggestions.pem', createTestCa().issue(options).pem);
    const { code, stdout } = await runCountersign(['certificate', path, ...args]);
    const names = [...stdout.matchAll(/^ {2}(tls_client_auth_s.*)$/gm)].map(([, line]) => line);
    return { code, names, reasons: stdout.split('\n').filter((line) => line.startsWith('Not by ')) };
  };

  test.each<[string, CertificateOptions, string[], RegExp[]]>([
    [
      'the SAN first, and the subject',
      { subject: [['CN', 'client']], dns: ['a.example'] },
      ['tls_client_auth_san_dns: a.example', 'tls_client_auth_subject_dn: CN=client'],
      [],
    ],
    [
      'the SAN if the subject has a type twice in one RDN',
      {
        subject: [
          [
            ['O', 'group-a'],
            ['O', 'group-b'],
          ],
          ['CN', 'svc'],
        ],
        dns: ['svc.acme.example'],
      },
      ['tls_client_auth_san_dns: svc.acme.example'],
      [/^Not by its subject CN=svc,O=group-a\+O=group-b: the same attribute type twice in one RDN$/],
    ],
    [
      'the SPIFFE ID, and not the subject of all workloads',
      {
        subject: [
          ['C', 'US'],
          ['O', 'SPIRE'],
        ],
        uris: ['spiffe://td/ns/a/sa/billing'],
      },
      ['tls_client_auth_san_uri: spiffe://td/ns/a/sa/billing'],
      [/^Not by its subject O=SPIRE,C=US: other clients .*: it has no CN, serialNumber, UID or other attribute/],
    ],
    [
      'the longest of several DNS names',
      { subject: [], dns: ['billing', 'billing.production.svc', 'billing.production'] },
      ['tls_client_auth_san_dns: billing.production.svc'],
      [/^Not by its subject: the subject DN is empty$/],
    ],
    [
      'no name if all are shared',
      { subject: [['O', 'Acme']], dns: ['*.acme.example', 'localhost'], ips: ['10.0.0.1'], uris: ['spiffe://td'] },
      [],
      [
        /^Not by its URI spiffe:\/\/td: .* it is a trust domain, which all of its workloads share/,
        /^Not by its DNS name \*\.acme\.example: .* it is a wildcard/,
        /^Not by its DNS name localhost: .* it is the name of every machine for itself/,
        /^Not by its IP address 10\.0\.0\.1: .* it is a private address/,
        /^Not by its subject O=Acme: /,
      ],
    ],
    [
      'the subject if the only alternative name has no field',
      { subject: [['CN', 'host/a.example']], extraExtensions: [alternativeNames(unknownOtherName)] },
      ['tls_client_auth_subject_dn: CN=host/a.example'],
      [/^Not by its alternative name otherName: OAuth has no client record field/],
    ],
  ])('prints records with %s', async (_, options, names, reasons) => {
    const printed = await suggestionsFor(options);
    expect([printed.code, printed.names]).toEqual([0, names]);
    expect(printed.reasons).toEqual(reasons.map((reason) => expect.stringMatching(reason)));
  });

  test('prints a record with the SPIFFE ID and its CA, if a path to the CA is verified', async () => {
    const [ca, another] = [createTestCa(), createTestCa()];
    const spiffeId = 'spiffe://prod.example/ns/shop/sa/billing';
    const leaf = file('svid.pem', ca.issue({ uris: [spiffeId], subject: [['O', 'SPIRE']] }).pem);
    const [trusted, untrusted] = [file('svid-ca.pem', ca.pem), file('other-ca.pem', another.pem)];
    const pin = thumbprintOf(ca.keys.publicKey.export({ type: 'spki', format: 'der' }));
    const { stdout, code } = await runCountersign(['certificate', leaf, '--ca', trusted]);
    const title = 'By SPIFFE ID, which is the sub of its tokens; * would stand for any segment of the path:';
    expect(code).toBe(0);
    expect(stdout).toContain(title);
    const json = async (path: string, ...args: string[]) => {
      const printed = await runCountersign(['certificate', path, ...args, '-o', 'json']);
      return JSON.parse(printed.stdout);
    };
    const [bySpiffeId, byUri] = (await json(leaf, '--ca', trusted)).records;
    expect(bySpiffeId).toMatchObject({ tls_client_auth_spiffe_id: spiffeId, tls_client_auth_ca: [pin] });
    expect(byUri).toMatchObject({ tls_client_auth_san_uri: spiffeId });
    const unverified = await json(leaf, '--ca', untrusted);
    expect(JSON.stringify(unverified.records)).not.toContain('spiffe_id');
    const two = file('two-uris.pem', ca.issue({ uris: [spiffeId, 'urn:a'] }).pem);
    const reason = 'it has 2 URIs; an X509-SVID has exactly one';
    const field = 'tls_client_auth_spiffe_id';
    expect((await json(two, '--ca', trusted)).unsuitable).toContainEqual({ field, value: spiffeId, reason });
    const { stdout: withoutCa } = await runCountersign(['certificate', leaf]);
    expect(withoutCa).toContain('; add --ca CA.pem for a record with its SPIFFE ID and CA:');
  });

  test('prints a pin if the server trusts several CAs or requires one', async () => {
    const [ca, another] = [createTestCa(), createTestCa({ subject: [['CN', 'Another CA']] })];
    const leaf = file('pinned.pem', ca.issue({ subject: [['CN', 'client']] }).pem);
    const pin = thumbprintOf(ca.keys.publicKey.export({ type: 'spki', format: 'der' }));
    const one = file('one-ca.pem', ca.pem);
    const two = file('two-cas.pem', ca.pem + another.pem);
    const env = { COUNTERSIGN_REQUIRE_CA_PIN: 'true' };
    const records = async (args: string[], settings = {}) => {
      const { stdout } = await runCountersign(['certificate', leaf, '-o', 'json', ...args], { env: settings });
      return JSON.parse(stdout);
    };
    const named = { tls_client_auth_subject_dn: 'CN=client' };
    expect((await records(['--ca', two])).records[0]).toMatchObject({ ...named, tls_client_auth_ca: [pin] });
    expect((await records(['--ca', one], env)).records[0]).toMatchObject({ ...named, tls_client_auth_ca: [pin] });
    expect((await records(['--ca', one])).records[0]).not.toHaveProperty('tls_client_auth_ca');
    const reason = expect.stringContaining('tls_client_auth_ca: is missing, and COUNTERSIGN_REQUIRE_CA_PIN is true');
    expect(await records([], env)).toMatchObject({
      records: [{ certificates: [{}] }, { certificates: [{}] }],
      unsuitable: [{ field: 'tls_client_auth_subject_dn', value: 'CN=client', reason }],
    });
  });

  test('prints only the records of the certificate itself if its chain is not verified', async () => {
    const other = file('other-ca.pem', createTestCa({ subject: [['CN', 'Other CA']] }).pem);
    const { code, names, reasons } = await suggestionsFor({ dns: ['a.example'] }, '--ca', other);
    expect([code, names]).toEqual([1, []]);
    expect(reasons).toEqual([
      expect.stringMatching(/^Not by its DNS name a\.example: the certificate's chain is not verified: /),
      expect.stringMatching(/^Not by its subject CN=client: the certificate's chain is not verified: /),
    ]);
  });

  test('prints only the records of the certificate itself if it is self-signed', async () => {
    const { pem, thumbprint } = selfSigned({ subject: [['CN', 'sensor-7']] });
    const { code, stdout } = await runCountersign(['certificate', '-'], { input: pem });
    expect([code, stdout]).toEqual([0, expect.stringContaining(`thumbprint: ${thumbprint}`)]);
    expect(stdout).toMatch(/^Not by its subject CN=sensor-7: .*: it is self-signed, so no CA issued it$/m);
    expect(stdout).not.toContain('method: tls_client_auth');
  });

  test('prints only the records of the certificate itself if its signature is too weak for a name', async () => {
    const { pem, thumbprint } = createTestCa().issue({ signatureHash: 'SHA-1', dns: ['a.example'] });
    const { code, stdout } = await runCountersign(['certificate', file('sha1.pem', pem)]);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`thumbprint: ${thumbprint}`)]);
    expect(stdout).toMatch(/^Not by its DNS name a\.example: the certificate is signed with .* \(SHA-1, MD5/m);
    expect(stdout).toMatch(/^Not by its subject CN=client: the certificate is signed with .* \(SHA-1, MD5/m);
    expect(stdout).not.toContain('method: tls_client_auth');
  });

  test('prints the pin of a CA certificate, and that clients may not present it', async () => {
    const ca = createTestCa();
    const { code, stdout } = await runCountersign(['certificate', file('ca.pem', ca.pem)]);
    const key = ca.keys.publicKey.export({ type: 'spki', format: 'der' });
    expect([code, stdout]).toEqual([0, expect.stringContaining(`tls_client_auth_ca:\n  - ${thumbprintOf(key)}\n`)]);
    expect(stdout).toContain('this is a CA certificate, which a client may not present');
  });

  test.each([
    ['an empty file', ''],
    ['a key', selfSigned().privateKeyPem],
    ['a malformed certificate', certificate.pem.replace(/\n.{64}\n/, '\n')],
    ['malformed base64', certificate.pem.replace(/\n.{64}\n/, '\n!\n')],
  ])('reports the file and the problem of %s', async (_, content) => {
    const path = file('broken.pem', content);
    const { code, stderr } = await runCountersign(['certificate', path]);
    expect(code).toBe(1);
    expect(stderr).toContain(path);
    expect(stderr).not.toContain(' at ');
  });
});

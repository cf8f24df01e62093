import { expect, test } from 'vitest';
import { createTestCa } from '../../support/certificates.ts';
import { describeWith } from '../../support/describe-with.ts';
import type { NameParts } from '../../support/distinguished-name.ts';
import { generalName, nameConstraints } from '../../support/general-names.ts';
import { openssl } from '../../support/openssl.ts';
import { createOpensslCa, type OpensslCertificate } from '../../support/openssl-ca.ts';
import { verifyChain } from '../../support/verify-chain.ts';

const { dns, ip, directory, email, uri } = generalName;

const caLines = `keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid`;
const anyCa = `basicConstraints = critical, CA:TRUE\n${caLines}`;
const constrained = `basicConstraints = critical, CA:TRUE, pathlen:0
${caLines}
extendedKeyUsage = clientAuth
nameConstraints = critical, @constraints
[constraints]
permitted;dirName.0 = ours
permitted;DNS.0 = clients.example
permitted;URI.0 = clients.example
permitted;email.0 = .clients.example
excluded;IP.0 = 10.0.0.0/255.0.0.0
[ours]
C = GB
O = Ours`;
const client = `basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid`;

/** The same root and intermediate, without openssl. */
function mintedPki() {
  const permitted = [directory(ours), dns('clients.example'), uri('clients.example'), email('.clients.example')];
  const constraints = nameConstraints({ permitted, excluded: [ip('10.0.0.0/8')] });
  const root = createTestCa({ subject: [['CN', 'Root']] });
  const options = { pathLength: 0, eku: 'client', extraExtensions: [constraints] } as const;
  return { root, issuing: root.issueIntermediate({ subject: [...ours, ['CN', 'Issuing']], ...options }) };
}

const ours = [
  ['C', 'GB'],
  ['O', 'Ours'],
] as const;

async function opensslPki() {
  const root = await createOpensslCa('/CN=Root', anyCa);
  const issuing = await root.issueIntermediate('issuing', '/C=GB/O=Ours/CN=Issuing', constrained);
  return { root, issuing, below: await issuing.issueIntermediate('below', '/C=GB/O=Ours/CN=Below', anyCa) };
}

/** The types of subject alternative name, as named in the configuration of openssl. */
type Kind = 'DNS' | 'URI' | 'email' | 'IP';
const optionOf = { DNS: 'dns', URI: 'uris', email: 'emails', IP: 'ips' } as const;

const rows: [organisation: string, kind: Kind, name: string, outcome: 'accepted' | 'rejected'][] = [
  ['Ours', 'DNS', 'a.clients.example', 'accepted'],
  ['Ours', 'DNS', 'a.others.example', 'rejected'],
  ['Ours', 'URI', 'https://clients.example/a', 'accepted'],
  ['Ours', 'URI', 'https://a.clients.example/a', 'rejected'],
  ['Ours', 'email', 'a@b.clients.example', 'accepted'],
  ['Ours', 'email', 'a@clients.example', 'rejected'],
  ['Ours', 'IP', '192.0.2.1', 'accepted'],
  ['Ours', 'IP', '10.0.0.1', 'rejected'],
  ['Others', 'DNS', 'a.clients.example', 'rejected'],
];

/** The result of `openssl verify`. */
async function verify(root: OpensslCertificate, untrusted: OpensslCertificate[], leaf: OpensslCertificate) {
  const intermediates = untrusted.flatMap(({ file }) => ['-untrusted', file]);
  const options = ['-x509_strict', '-purpose', 'sslclient', '-CAfile', root.file, ...intermediates];
  return await openssl(['verify', ...options, leaf.file]).then(
    () => 'accepted',
    () => 'rejected',
  );
}

describeWith(['openssl'], 'a client certificate of a PKI created with openssl, as openssl verifies it', () => {
  const created = opensslPki();
  const minted = mintedPki();

  test.each(rows)('O=%s, %s:%s is %s', async (organisation, kind, name, outcome) => {
    const { root, issuing } = await created;
    const lines = `${client}\nsubjectAltName = ${kind}:${name}`;
    const leaf = await issuing.issue(`leaf-${kind}`, `/C=GB/O=${organisation}/CN=client`, lines);
    const subject: NameParts = [
      ['C', 'GB'],
      ['O', organisation],
      ['CN', 'client'],
    ];
    const twin = minted.issuing.issue({ subject, [optionOf[kind]]: [name] });
    const verified = outcome === 'accepted';
    expect(verifyChain({ configured: [root, issuing], leaf }).verified).toBe(verified);
    expect(verifyChain({ configured: [root], leaf, forwarded: [issuing] }).verified).toBe(verified);
    expect(verifyChain({ configured: [minted.root, minted.issuing], leaf: twin }).verified).toBe(verified);
    expect(await verify(root, [issuing], leaf)).toBe(outcome);
  });

  test('below the path length of its CA is rejected', async () => {
    const { root, issuing, below } = await created;
    const leaf = await below.issue('leaf-below', '/C=GB/O=Ours/CN=client', client);
    const twin = minted.issuing.issueIntermediate({ subject: [...ours, ['CN', 'Below']] });
    const subject: NameParts = [...ours, ['CN', 'client']];
    const reason = expect.stringContaining(
      'CA "CN=Issuing,O=Ours,C=GB" (2 above the certificate) allows 0 intermediates',
    );
    expect(verifyChain({ configured: [root, issuing, below], leaf })).toMatchObject({ reason });
    const configured = [minted.root, minted.issuing, twin];
    expect(verifyChain({ configured, leaf: twin.issue({ subject }) })).toMatchObject({ reason });
    expect(await verify(root, [issuing, below], leaf)).toBe('rejected');
  });
});

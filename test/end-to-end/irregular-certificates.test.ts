import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Decision } from '../support/authorization-server.ts';
import { type CertificateOptions, createTestCa } from '../support/certificates.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { der, objectIdentifier, sequence } from '../support/der.ts';
import { describeWith } from '../support/describe-with.ts';
import type { NameParts } from '../support/distinguished-name.ts';
import { alternativeNames, generalName } from '../support/general-names.ts';

const subject = [['CN', 'svc']] as const;
const registration = {
  client_id: 'svc',
  token_endpoint_auth_method: 'tls_client_auth',
  audience: 'https://api.example',
};
const accepted = { response: { status: 200 }, event: { event: 'token_issued', client_id: 'svc' } };

const caNames: [string, NameParts][] = [
  [
    'two OUs in one RDN, as Go writes them',
    [
      ['O', 'Acme'],
      [
        ['OU', 'PKI'],
        ['OU', 'Services'],
      ],
      ['CN', 'Root'],
    ],
  ],
  [
    '_ and & in PrintableStrings',
    [
      ['O', 'Acme & Company', 'printable'],
      ['CN', 'acme_root_ca', 'printable'],
    ],
  ],
  [
    'an empty value',
    [
      ['OU', ''],
      ['CN', 'Root'],
    ],
  ],
];

/** A Kerberos principal name, as FreeIPA and certmonger write it into the certificate of every host. */
const principal = generalName.other(
  '1.3.6.1.5.2.2',
  sequence(
    der(0xa0, der(0x1b, Buffer.from('ACME.EXAMPLE'))),
    der(0xa1, sequence(der(0xa0, der(0x02, Buffer.of(1))), der(0xa1, sequence(der(0x1b, Buffer.from('host')))))),
  ),
);

const clients: [string, CertificateOptions][] = [
  [
    'an otherName with a GeneralString',
    { extraExtensions: [alternativeNames(principal, generalName.dns('svc.example'))] },
  ],
  ['an rfc822Name in UTF-8', { extraExtensions: [alternativeNames(der(0x81, Buffer.from('müller@acme.example')))] }],
  ['cA FALSE written out', { rawBasicConstraints: Buffer.from('3003010100', 'hex') }],
  ['attributes of an RDN out of order', { subject: outOfOrder() }],
];

/** The RDN CN=svc, and another one that breaks the order of X.690 §11.6. */
function outOfOrder(): Uint8Array {
  const attribute = (type: string, value: string) => sequence(objectIdentifier(type), der(0x0c, Buffer.from(value)));
  return sequence(
    der(0x31, attribute('2.5.4.11', 'b'), attribute('2.5.4.10', 'a')),
    der(0x31, attribute('2.5.4.3', 'svc')),
  );
}

describeWith(['nginx', 'redis-server'], 'nginx and the server issue a token', () => {
  describe.each(caNames)('below a CA whose name has %s', (_, name) => {
    let deployment: Deployment;
    beforeAll(async () => {
      deployment = await startDeployment({ clientCa: { subject: name } });
      await deployment.register({ ...registration, tls_client_auth_subject_dn: 'CN=svc' });
    });
    afterAll(() => deployment?.stop());

    test('to its client', async () => {
      expect(await deployment.requestToken('svc', { identity: deployment.ca.issue({ subject }) })).toMatchObject(
        accepted,
      );
    });

    test('to no client of another CA with this name', async () => {
      const identity = createTestCa({ subject: name }).issue({ subject });
      const { response, event }: Decision = await deployment.requestToken('svc', { identity });
      expect([response.status, event.event]).toEqual([400, 'token_rejected']);
    });
  });

  describe('to a client whose certificate has', () => {
    let deployment: Deployment;
    beforeAll(async () => {
      deployment = await startDeployment();
    });
    afterAll(() => deployment?.stop());

    test.each(clients)('%s', async (_, options) => {
      const dn = options.subject instanceof Uint8Array ? 'CN=svc,O=a+OU=b' : 'CN=svc';
      await deployment.register({ ...registration, tls_client_auth_subject_dn: dn });
      const identity = deployment.ca.issue({ subject, ...options });
      expect(await deployment.requestToken('svc', { identity })).toMatchObject(accepted);
    });

    test('an otherName with a GeneralString, by its DNS name', async () => {
      await deployment.register({ ...registration, tls_client_auth_san_dns: 'svc.example' });
      const extraExtensions = [alternativeNames(generalName.dns('svc.example'), principal)];
      expect(
        await deployment.requestToken('svc', { identity: deployment.ca.issue({ extraExtensions }) }),
      ).toMatchObject(accepted);
      const other = deployment.ca.issue({ extraExtensions: [alternativeNames(principal)] });
      const { response } = await deployment.requestToken('svc', { identity: other });
      expect(response.status).toBe(400);
    });
  });
});

import { expect, test } from 'vitest';
import { completeValidation } from '../../src/authentication/postponed-validation.ts';
import type { Client } from '../../src/clients/client.ts';
import type { PresentedCertificate } from '../../src/clients/methods/method.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import type { ChainStatus } from '../../src/pki/path/verify-chain.ts';
import { selfSigned } from '../support/certificates.ts';
import { registeredClient } from '../support/registered-client.ts';

const own = selfSigned({ subject: [['CN', 'a']] });
const other = selfSigned({ subject: [['CN', 'b']] });
const byName = (CN: string, more: object = {}) =>
  registeredClient({ client_id: CN, tls_client_auth_subject_dn: `CN=${CN}`, ...more });
const byCertificate = registeredClient({ client_id: 'c', certificates: [{ thumbprint: own.thumbprint }] });
const byOther = registeredClient({ client_id: 'd', certificates: [{ thumbprint: other.thumbprint }] });

const validated: ChainStatus = { verified: true, reason: 'validated', paths: undefined };

/** Completes a postponed validation of the certificate `CN=a`, and records what happened. */
async function complete(candidates: readonly (Client | undefined)[], isFull = false) {
  const happened: string[] = [];
  const presented: PresentedCertificate = {
    kind: 'certificate',
    certificate: parseClientCertificate(own.der),
    chain: {
      verified: false,
      code: 'path_validation_postponed',
      reason: '',
      postponed: {
        validate: () => {
          happened.push('validated');
          return isFull ? undefined : Promise.resolve(validated);
        },
        pause: async () => void happened.push('paused'),
      },
    },
  };
  const completed = await completeValidation(presented, candidates);
  return { happened, isVerified: completed.kind === 'certificate' && completed.chain.verified };
}

test.each<[string, readonly (Client | undefined)[], string[]]>([
  ['the client with that subject is validated', [byName('a')], ['validated']],
  ['one of several clients with that subject is validated', [byName('b'), byName('a')], ['validated']],
  ['an unknown client is paused', [undefined], ['paused']],
  ['no client at all is paused', [], ['paused']],
  ['a client with another subject is paused', [byName('b')], ['paused']],
  ['a disabled client is paused', [byName('a', { enabled: false })], ['paused']],
  ['a client with another registered certificate is paused', [byOther], ['paused']],
  ['a client with that registered certificate needs neither', [byCertificate], []],
])('a postponed validation for %s', async (_title, candidates, expected) => {
  const { happened, isVerified } = await complete(candidates);
  expect({ happened, isVerified }).toEqual({ happened: expected, isVerified: expected[0] === 'validated' });
});

test('a validation for which there is no place makes the server temporarily unavailable', async () => {
  await expect(complete([byName('a')], true)).rejects.toMatchObject({
    error: 'temporarily_unavailable',
    code: 'path_validation_overloaded',
  });
});

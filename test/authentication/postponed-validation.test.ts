import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { completeValidation } from '../../src/authentication/postponed-validation.ts';
import type { Client } from '../../src/clients/client.ts';
import type { PresentedCertificate } from '../../src/clients/methods/method.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import type { ChainStatus } from '../../src/pki/path/verify-chain.ts';
import { WaitingRoom } from '../../src/pki/path/waiting-room.ts';
import { selfSigned } from '../support/certificates.ts';
import { expectWithin } from '../support/expect-within.ts';
import { registeredClient } from '../support/registered-client.ts';

const own = selfSigned({ subject: [['CN', 'a']] });
const other = selfSigned({ subject: [['CN', 'b']] });
const byName = (CN: string, more: object = {}) =>
  registeredClient({ client_id: CN, tls_client_auth_subject_dn: `CN=${CN}`, ...more });
const byCertificate = registeredClient({ client_id: 'c', certificates: [{ thumbprint: own.thumbprint }] });
const byOther = registeredClient({ client_id: 'd', certificates: [{ thumbprint: other.thumbprint }] });

const verified: ChainStatus = { verified: true, reason: 'validated', paths: undefined };
const rejected: ChainStatus = { verified: false, code: 'path_signature_invalid', reason: 'not signed' };
const never = new Promise<ChainStatus>(() => {});

/** How many were completed so far. */
let ended = 0;

/** Completes a postponed validation of the certificate `CN=a`. */
async function complete(
  candidates: readonly (Client | undefined)[],
  validation: Promise<ChainStatus>,
  waitingRoom = new WaitingRoom(),
) {
  let validations = 0;
  const presented: PresentedCertificate = {
    kind: 'certificate',
    certificate: parseClientCertificate(own.der),
    chain: {
      verified: false,
      code: 'path_validation_postponed',
      reason: '',
      postponed: {
        validate: () => {
          validations += 1;
          return validation;
        },
        waitingRoom,
      },
    },
  };
  const started = performance.now();
  const result = await Promise.resolve(completeValidation(presented, candidates, Date.now())).then(
    (completed) => ({ isVerified: completed.kind === 'certificate' && completed.chain.verified }),
    ({ error, code, reason, description, headers }) => ({
      publicly: { error, description, headers },
      code,
      reason: String(reason),
    }),
  );
  return { validations, result, milliseconds: performance.now() - started, ended: ++ended };
}

const withSubject: (readonly [string, readonly (Client | undefined)[]])[] = [
  ['the client with that subject', [byName('a')]],
  ['one of several clients with that subject', [byName('b'), byName('a')]],
];
const withoutSubject: typeof withSubject = [
  ['an unknown client', [undefined]],
  ['no client at all', []],
  ['a client with another subject', [byName('b')]],
  ['a disabled client', [byName('a', { enabled: false })]],
  ['a client with another registered certificate', [byOther]],
];

test.each(withSubject)('a postponed validation for %s is done, and verifies at once', async (_title, candidates) => {
  await expectWithin(400, async () => {
    const { validations, result, milliseconds } = await complete(candidates, Promise.resolve(verified));
    expect({ validations, result }).toEqual({ validations: 1, result: { isVerified: true } });
    return milliseconds;
  });
});

test('a postponed validation for a client with that registered certificate is not needed', async () => {
  const { validations, result } = await complete([byCertificate], never);
  expect({ validations, result }).toEqual({ validations: 0, result: { isVerified: false } });
});

test.concurrent.each(withoutSubject)('a postponed validation for %s is never done', async (_title, candidates) => {
  expect((await complete(candidates, never)).validations).toBe(0);
});

test('every request that a postponed validation does not verify is rejected after the same time and in the same way', async () => {
  const [[, recognized] = ['', []]] = withSubject;
  const all = await Promise.all([
    ...withoutSubject.map(([, candidates]) => complete(candidates, never)),
    complete(recognized, Promise.resolve(rejected)),
    complete(recognized, never),
  ]);
  const results = all.map(({ result }) => ('publicly' in result ? result : undefined));
  const [first] = results;
  expect(first).toMatchObject({ publicly: { error: 'temporarily_unavailable', headers: { 'retry-after': '2' } } });
  for (const result of results) {
    expect(result?.publicly).toEqual(first?.publicly);
    expect(result?.code).toBe('path_validation_overloaded');
  }
  expect(results.at(-2)?.reason).toContain('not signed');
  for (const { milliseconds } of all) expect(milliseconds).toBeGreaterThanOrEqual(490);
});

test.each([
  ['1,000', 1_000, 100],
  ['20', 20, 2],
  ['1', 1, 1],
])(
  'of %s requests in flight, a tenth and at most 100 wait for a postponed validation, and then the first is rejected',
  async (_title, maxRequestsInFlight, maxWaiting) => {
    const [[, recognized] = ['', []]] = withSubject;
    const room = new WaitingRoom(maxRequestsInFlight);
    // Every second one is that of a client.
    const wait = (index: number) => complete(index % 2 === 0 ? recognized : [undefined], never, room);
    const before = ended;
    const completing = Promise.all(Array.from({ length: maxWaiting + 4 }, (_, index) => wait(index)));
    // No timer has fired yet.
    await setImmediate();
    expect(ended - before).toBe(4);
    const all = await completing;
    expect(all.map(({ ended: position }) => position)).toEqual(all.map((_, index) => (all[0]?.ended ?? 0) + index));
    expect(new Set(all.map(({ result }) => 'publicly' in result && JSON.stringify(result.publicly))).size).toBe(1);
  },
);

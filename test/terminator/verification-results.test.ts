import { describe, expect, test } from 'vitest';
import { HeaderFields } from '../../src/http/header-fields.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { WaitingRoom } from '../../src/pki/path/waiting-room.ts';
import { chainStatus, readVerification } from '../../src/terminator/chain-verification.ts';
import { describeResult, failureOf } from '../../src/terminator/verification-results.ts';
import { selfSigned } from '../support/certificates.ts';

describe('a certificate whose verification failed may still be a registered one if the terminator reports', () => {
  test.each([
    undefined,
    '',
    'NONE',
    'GENEROUS',
    'false',
    'success',
    '1',
    '2',
    '18',
    '19',
    '20',
    '21',
    'FAILED:self-signed certificate',
    'FAILED:self signed certificate in certificate chain',
    'FAILED:unable to get issuer certificate',
    'FAILED:unable to get local issuer certificate',
    'FAILED:unable to verify the first certificate',
  ])('%j', (value) => {
    expect(failureOf(value)).toMatchObject({ isFinal: false, isExplained: true });
  });
});

describe('a certificate is rejected, even a registered one, if the terminator reports', () => {
  test.each([
    ['FAILED:certificate revoked', 'verification_revoked'],
    ['23', 'verification_revoked'],
    ['true', 'verification_revoked'],
    ['FAILED:permitted subtree violation', 'verification_names_excluded'],
    ['FAILED:excluded subtree violation', 'verification_names_excluded'],
    ['47', 'verification_names_excluded'],
    ['48', 'verification_names_excluded'],
    ['FAILED:certificate has expired', 'verification_failed'],
    ['FAILED:unable to get certificate CRL', 'verification_failed'],
    ['FAILED:not self-signed', 'verification_failed'],
    ['FAILED:', 'verification_failed'],
    ['FAILED', 'verification_failed'],
    ['3', 'verification_failed'],
    ['10', 'verification_failed'],
    ['26', 'verification_failed'],
    ['180', 'verification_failed'],
  ])('%j', (value, code) => {
    expect(failureOf(value)).toMatchObject({ code, isFinal: true });
  });
});

describe('if only the terminator verifies, and forwards no verification result by configuration', () => {
  const read = (...values: string[]) =>
    readVerification(new HeaderFields(values.flatMap((value) => ['X-SSL-Client-Verify', value])), {
      by: 'terminator',
      fields: [],
    });

  test.each([[['FAILED']], [['NONE']], [['']], [['SUCCESS', 'FAILED']]])(
    'a certificate is rejected with %j',
    (values) => {
      expect(read(...values)).toMatchObject({ result: 'failed', failure: { isFinal: true } });
    },
  );

  test('a certificate with the constant of Caddy and Traefik is not verified, but may be a registered one', () => {
    expect(read('UNVERIFIED')).toMatchObject({
      result: 'failed',
      failure: { code: 'verification_failed', isFinal: false },
      reason: expect.stringContaining(
        'remove COUNTERSIGN_CHAIN_VERIFIED_BY=terminator and set COUNTERSIGN_CLIENT_CA_FILE',
      ),
    });
  });

  test('a certificate without a result, and one with success, counts as verified', () => {
    expect([read().result, read('SUCCESS').result]).toEqual(['absent', 'absent']);
  });
});

describe('if the terminator verifies and reports that in a header of another name', () => {
  const read = (...values: string[]) =>
    readVerification(
      new HeaderFields(['X-Verified', 'SUCCESS', ...values.flatMap((v) => ['X-SSL-Client-Verify', v])]),
      {
        by: 'header',
        fields: [{ header: 'x-verified', successValue: 'SUCCESS' }],
      },
    );

  test.each([['UNVERIFIED'], ['FAILED'], ['FAILED:certificate has expired']])(
    'a certificate is rejected that a shipped configuration reports as %s: the client sent the other header',
    (value) => {
      expect(read(value)).toMatchObject({
        result: 'failed',
        reason: expect.stringContaining('remove COUNTERSIGN_CHAIN_VERIFIED_BY and set COUNTERSIGN_CLIENT_CA_FILE'),
      });
    },
  );

  test('a certificate is verified without the header of the shipped configurations', () => {
    expect([read().result, read('SUCCESS').result]).toEqual(['verified', 'verified']);
  });
});

test('a number is explained, and a text is not', () => {
  expect(['10', '47', 'FAILED:certificate revoked', '999'].map(describeResult)).toEqual([
    'certificate has expired',
    'permitted subtree violation',
    undefined,
    undefined,
  ]);
});

test('a certificate that the terminator rejects stays rejected if the own validation, which explains that, is postponed', () => {
  const presented = { certificate: parseClientCertificate(selfSigned().der), chain: [] };
  const failed = { result: 'failed', reason: 'x-verify is "FAILED:expired"', failure: failureOf('FAILED:x') } as const;
  const postponed = {
    validate: async () => ({ verified: true, reason: '', paths: [] }) as const,
    waitingRoom: new WaitingRoom(),
  };
  const status = chainStatus(presented, failed, { by: 'countersign', fields: [] }, () => {
    return { verified: false, code: 'path_validation_postponed', reason: 'postponed', postponed };
  });
  expect(status).toEqual({ verified: false, code: 'verification_failed', reason: failed.reason, isFinal: true });
});

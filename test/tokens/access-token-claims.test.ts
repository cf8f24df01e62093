import { describe, expect, test } from 'vitest';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { accessTokenClaims } from '../../src/tokens/access-token-claims.ts';
import { selfSigned } from '../support/certificates.ts';
import { registeredClient } from '../support/registered-client.ts';

const notAfter = Date.parse('2030-06-01T12:00:00Z');
const certificate = parseClientCertificate(selfSigned({ notAfter: new Date(notAfter) }).der);
const client = registeredClient({ tls_client_auth_subject_dn: 'CN=client' });
const claimsAt = (now: number, lifetimeSeconds = 60) => {
  const authorization = { sub: 'a', scope: [], audience: [], lifetimeSeconds };
  return accessTokenClaims('https://issuer.example', client, authorization, certificate, now);
};

describe('an access token expires', () => {
  test.each<[string, now: number, exp: number]>([
    ['after its lifetime, long before its certificate', notAfter - 86_400_000, notAfter - 86_340_000],
    ['with its certificate if both end together', notAfter - 60_000, notAfter],
    ['with its certificate if that ends a second before its lifetime', notAfter - 59_000, notAfter],
    ['with its certificate if that ends within its lifetime', notAfter - 30_500, notAfter],
    ['with its certificate, issued in the last whole second', notAfter - 1, notAfter],
    ['with its certificate, issued exactly a second before', notAfter - 1000, notAfter],
  ])('%s', (_, now, exp) => {
    const claims = claimsAt(now);
    expect(claims.exp).toBe(exp / 1000);
    expect(claims.iat).toBe(Math.floor(now / 1000));
    expect(claims.exp).toBeGreaterThan(claims.iat);
  });

  test.each([0, 1, 999, 1000, 86_400_000])('never: there is none %i ms after the end of the certificate', (late) => {
    const reason = 'the certificate expires at 2030-06-01T12:00:00.000Z, too soon for a token';
    expect(() => claimsAt(notAfter + late)).toThrow(expect.objectContaining({ code: 'certificate_expiring', reason }));
  });

  test('with a certificate that has no well-defined expiration (RFC 5280 §4.1.2.5) after its lifetime', () => {
    const eternal = parseClientCertificate(selfSigned({ notAfter: new Date('9999-12-31T23:59:59Z') }).der);
    const authorization = { sub: 'a', scope: [], audience: [], lifetimeSeconds: 60 };
    expect(accessTokenClaims('https://issuer.example', client, authorization, eternal, 5_000)).toMatchObject({
      iat: 5,
      exp: 65,
    });
  });
});

describe('the audience of a token whose request names none', () => {
  const audienceOf = (isolated_audience: string) => {
    const isolated = registeredClient({ tls_client_auth_subject_dn: 'CN=client', isolated_audience });
    const authorization = { sub: 'a', scope: [], audience: [], lifetimeSeconds: 60 };
    return accessTokenClaims('https://issuer.example', isolated, authorization, certificate, notAfter - 60_000).aud;
  };

  test('is the issuer', () => {
    expect(audienceOf('https://api.example')).toBe('https://issuer.example');
  });

  test.each(['https://issuer.example', 'https://ISSUER.example:443/'])(
    'is not the issuer if %s is isolated',
    (each) => {
      expect(() => audienceOf(each)).toThrow(expect.objectContaining({ code: 'resource_isolated' }));
    },
  );
});

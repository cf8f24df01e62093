import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeProtectedHeader, type JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { sha256Thumbprint } from '../../src/pki/certificate/thumbprint.ts';
import { parseAccessToken } from '../../src/tokens/access-token.ts';
import type { SigningAlgorithm } from '../../src/tokens/algorithms/signing-algorithm.ts';
import { createJwsSigner } from '../../src/tokens/jws-signer.ts';
import { publicJwkOf } from '../../src/tokens/key-jwk.ts';
import type { PublishedKey } from '../../src/tokens/published-key.ts';
import { readSigningKey } from '../../src/tokens/signing-key.ts';
import { verifyAccessToken, verifySignature } from '../../src/tokens/verify-access-token.ts';
import { repositoryRoot } from '../support/repository-root.ts';

/** The payload of the examples of RFC 7515 §A.1 to §A.3 and of RFC 7519 §3.1. */
const joe = '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}';

/** RFC 7515 §A.2.1; with all members that RFC 7518 §6.3.2 derives from the primes. */
const rsa = {
  kty: 'RSA',
  n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
  e: 'AQAB',
  d: 'Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ',
  p: '4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc',
  q: 'uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc',
  dp: 'BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0',
  dq: 'h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU',
  qi: 'IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U',
} as const;
const rsaJws =
  'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw';

/** RFC 7515 §A.3.1 and §A.4.1. */
const p256 = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
} as const;
const p256Jws =
  'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q';
const p521 = {
  kty: 'EC',
  crv: 'P-521',
  x: 'AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk',
  y: 'ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2',
  d: 'AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C',
} as const;
const p521Jws =
  'eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn';

/** RFC 8037 §A.1, §A.3 and §A.4. */
const ed25519 = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
} as const;
const ed25519Jws =
  'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg';

/** RFC 9964 §A.1: the keys whose seed is 32 zero bytes. */
const mlDsa: readonly { readonly jwk: JWK; readonly jws: string }[] = JSON.parse(
  readFileSync(join(repositoryRoot, 'test/tokens/vectors/rfc9964.json'), 'utf8'),
);

const vectors: readonly [string, SigningAlgorithm, JWK, string][] = [
  ['RFC 7515 §A.2', 'RS256', rsa, rsaJws],
  ['RFC 7515 §A.3', 'ES256', p256, p256Jws],
  ['RFC 7515 §A.4', 'ES512', p521, p521Jws],
  ['RFC 8037 §A.4', 'EdDSA', ed25519, ed25519Jws],
  ...mlDsa.map(({ jwk, jws }): [string, SigningAlgorithm, JWK, string] => {
    const algorithm = jwk.alg === 'ML-DSA-44' ? 'ML-DSA-44' : 'ML-DSA-65';
    return ['RFC 9964 §A.1', algorithm, jwk, jws];
  }),
];

describe.each(vectors)('the example of %s (%s)', (_, algorithm, jwk, jws) => {
  const read = () => readSigningKey(JSON.stringify(jwk), algorithm);

  test('verifies with the published form of its key, and with no bit of its signature flipped', async () => {
    const key = await read();
    await expect(verifySignature(jws, key)).resolves.toBeUndefined();
    const [header, payload, signature = ''] = jws.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    for (const index of [0, bytes.length >> 1, bytes.length - 1]) {
      const altered = bytes.map((byte, position) => (position === index ? byte ^ 1 : byte));
      const forged = `${header}.${payload}.${Buffer.from(altered).toString('base64url')}`;
      await expect(verifySignature(forged, key)).rejects.toThrow('the signature is not one of the key');
    }
  });

  test('is signed again: the same bytes if the algorithm is deterministic, otherwise a signature that verifies', async () => {
    const [, payload = ''] = jws.split('.');
    const sign = createJwsSigner(
      algorithm,
      'kid' in jwk ? { kid: jwk.kid } : {},
      createPrivateKey({ key: jwk as never, format: 'jwk' }),
    );
    const own = await sign(Buffer.from(payload, 'base64url').toString());
    expect(own.split('.').slice(0, 2)).toEqual(jws.split('.').slice(0, 2));
    if (algorithm === 'RS256' || algorithm === 'EdDSA') expect(own).toBe(jws);
    await expect(verifySignature(own, await read())).resolves.toBeUndefined();
  });

  test('has a key that is published exactly, without its private members', async () => {
    const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, priv: _priv, ...members } = jwk;
    const { publicJwk, keyId } = await read();
    expect(publicJwk).toEqual({ ...members, use: 'sig', alg: algorithm, kid: keyId });
  });
});

describe('the kid of a key is its thumbprint', () => {
  test('of RFC 7638 §3.1', async () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
    const key = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB', alg: 'RS256' }, format: 'jwk' });
    expect(await publicJwkOf(key, 'RS256')).toEqual({
      kty: 'RSA',
      n,
      e: 'AQAB',
      alg: 'RS256',
      use: 'sig',
      kid: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    });
  });

  test.each(['EdDSA', 'Ed25519'] as const)('of RFC 8037 §A.3, with %s', async (algorithm) => {
    const { keyId } = await readSigningKey(JSON.stringify(ed25519), algorithm);
    expect(keyId).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  test.each(mlDsa.map(({ jwk }) => [jwk.alg, jwk] as const))('of RFC 9964 §6 and §A.1, with %s', async (_, jwk) => {
    const { kid, ...others } = jwk;
    const { keyId } = await readSigningKey(JSON.stringify(others), undefined);
    expect(keyId).toBe(kid);
  });
});

describe('a JWT of RFC 7519 is not an access token:', () => {
  const payload = Buffer.from(joe).toString('base64url');
  test.each([
    [
      'the one with HS256 of §3.1',
      `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
      'is not an access token: its typ is "JWT"',
    ],
    ['the unsecured one of §6.1', `eyJhbGciOiJub25lIn0.${payload}.`, 'the signature is not base64url'],
    [
      'an encrypted one, as in §A.1',
      'eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.QR1Owv2ug2WyPBnbQrRARTeEk9kDO2w8qDcjiHnSJflSdv1iNqhWXaKH4MqAkQtMoNfABIPJaZm0HaA415sv3aeuBWnD8J-Ui7Ah6cWafs3ZwwFKDFUUsWHSK-IPKxLGTkND09XyjORj_CHAgOPJ-Sd8ONQRnJvWn_hXV1BNMHzUjPyYwEsRhDhzjAD26imasOTsgruobpYGoQcXUwFDn7moXPRfDE8-NoQX7N7ZYMmpUDkR-Cx9obNGwJQ3nM52YCitxoQVPzjbl7WBuB7AohdBoZOdZ24WlN1lVIeh8v1K4krB8xgKvRU8kgFrEn_a1rZgN5TiysnmzTROF869lQ.AxY8DCtDaGlsbGljb3RoZQ.MKOle7UQrG6nSxTLX6Mqwt0orbHvAKeWnDYvpIAeZ72deHxz3roJDXQyhxx0wKaMHDjUEOKIwrtkHthpqEanSBNYHZgmNOV7sln1Eu9g3J8.fiK51VwhsxJ-siBMR-YFiA',
      'it does not consist of three segments',
    ],
    ['the one of RFC 7515 §A.3, whose signature verifies', p256Jws, 'the header has no typ'],
  ])('%s', async (_, jwt, reason) => {
    const key: PublishedKey = await readSigningKey(JSON.stringify(p256), undefined);
    await expect(verifyAccessToken(jwt, 'joe', () => key)).rejects.toThrow(reason);
  });
});

test('the cnf of RFC 8705 §A is the thumbprint of its certificate', () => {
  const certificate = new X509Certificate(`-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----`);
  const cnf = { 'x5t#S256': 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0' };
  expect(sha256Thumbprint(certificate.raw)).toBe(cnf['x5t#S256']);
  const claims = {
    iss: 'i',
    sub: 's',
    client_id: 's',
    aud: 'a',
    jti: 'j',
    iat: 1_493_722_909,
    exp: 1_493_726_400,
    cnf,
  };
  expect(parseAccessToken(JSON.stringify(claims)).certificateThumbprint).toBe(cnf['x5t#S256']);
});

test('the introspection response of RFC 9701 §5 is signed with its type and claims, and is not an access token', async () => {
  const key = await readSigningKey(JSON.stringify(rsa), 'RS256');
  const claims = {
    iss: 'https://as.example.com/',
    aud: 'https://rs.example.com/resource',
    iat: 1_514_797_892,
    token_introspection: {
      active: true,
      iss: 'https://as.example.com/',
      aud: 'https://rs.example.com/resource',
      iat: 1_514_797_822,
      exp: 1_514_797_942,
      client_id: 'paiB2goo0a',
      scope: 'read write dolphin',
      sub: 'Z5O3upPC88QrAjx00dis',
      jti: 't1FoCCaZd4Xv4ORJUWVUeTZfsKhW30CQCrWDDjwXy6w',
    },
  };
  const jwt = await key.signIntrospectionResponse(claims);
  expect(decodeProtectedHeader(jwt)).toEqual({ alg: 'RS256', typ: 'token-introspection+jwt', kid: key.keyId });
  expect(JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())).toEqual(claims);
  await expect(verifySignature(jwt, key)).resolves.toBeUndefined();
  await expect(verifyAccessToken(jwt, claims.iss, () => key)).rejects.toThrow('is not an access token: its typ is');
});

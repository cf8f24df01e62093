import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { SignJWT } from 'jose';
import { type SigningAlgorithm, signingAlgorithmNames } from '../../../../src/tokens/algorithms/signing-algorithm.ts';
import { readSigningKey } from '../../../../src/tokens/signing-key.ts';
import { exampleClaims, tokenResponse } from './issued-token.ts';

/**
 * Limits B and C, `node bare-hono.ts PORT KEY_FILE ALGORITHM jose|ours`: Hono parses the form, and one token is signed,
 * by `SignJWT` of jose or by the signer of `serve`. It authenticates no one.
 */
const [, , port = '', keyFile = '', algorithmName, signer] = process.argv;
const algorithm = signingAlgorithmNames.find((name) => name === algorithmName) ?? 'ES256';
const pem = readFileSync(keyFile, 'utf8');
const sign = signer === 'jose' ? signWithJose(pem, algorithm) : await signAsServe(pem, algorithm);

const app = new Hono();
app.post('/token', async (c) => {
  const form = new URLSearchParams(await c.req.text());
  if (form.get('grant_type') !== 'client_credentials') return c.text('', 400);
  return c.json(tokenResponse(await sign(exampleClaims(form))), 200, { 'cache-control': 'no-store' });
});
createServer(getRequestListener(app.fetch)).listen(Number(port), '127.0.0.1');

type Sign = (claims: ReturnType<typeof exampleClaims>) => string | Promise<string>;

function signWithJose(pem: string, alg: SigningAlgorithm): Sign {
  const key = createPrivateKey(pem);
  const header = { alg, typ: 'at+jwt', kid: 'uq0mWs5UzhoMM2g3lLTNYzgQNLoP7YkUYaEl4m7Znpg' };
  return (claims) => new SignJWT(claims).setProtectedHeader(header).sign(key);
}

async function signAsServe(pem: string, alg: SigningAlgorithm): Promise<Sign> {
  const key = await readSigningKey(pem, alg);
  return (claims) => key.sign(claims);
}

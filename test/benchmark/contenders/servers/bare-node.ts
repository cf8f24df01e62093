import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { exampleClaims, tokenResponse } from './issued-token.ts';

/**
 * Limit A, `node bare-node.ts PORT KEY_FILE ALGORITHM`: the unavoidable work in the fewest calls. `node:http` parses the
 * form and signs once, synchronously. It authenticates no one.
 */
const [, , port = '', keyFile = '', algorithm = ''] = process.argv;
const key = createPrivateKey(readFileSync(keyFile));
const header = encode({ alg: algorithm, typ: 'at+jwt', kid: 'uq0mWs5UzhoMM2g3lLTNYzgQNLoP7YkUYaEl4m7Znpg' });
const hash = algorithm === 'EdDSA' ? null : 'sha256';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    if (form.get('grant_type') !== 'client_credentials') return response.writeHead(400).end();
    const body = JSON.stringify(tokenResponse(issue(form)));
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': body.length };
    return response.writeHead(200, headers).end(body);
  });
});
server.listen(Number(port), '127.0.0.1');

function issue(form: URLSearchParams): string {
  const input = `${header}.${encode(exampleClaims(form))}`;
  const signature = sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

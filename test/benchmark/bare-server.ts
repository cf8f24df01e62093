import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { SignJWT } from 'jose';

/**
 * The baseline of `benchmark:token`: a server with the same libraries that reads a form and responds, on a Unix socket.
 * `node bare-server.ts SOCKET [sign]`. With `sign`, it also signs a token, the unavoidable work.
 */
const [, , path = '', work = ''] = process.argv;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
const claims = { iss: 'https://auth.example', sub: 'a', client_id: 'a', scope: 'read write', cnf: { 'x5t#S256': 'x' } };

const app = new Hono();
app.post('/token', async (c) => {
  await c.req.text();
  const token = work === 'sign' ? await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(key) : '';
  return c.json({ access_token: token, token_type: 'Bearer', expires_in: 3600 });
});
createServer(getRequestListener(app.fetch)).listen(path, () => console.log('listening'));

// `helm test`: stands for the gateway, and sends requests to the Service as it would. Prints what succeeded; fails with the
// first problem.
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';

const { SERVICE_URL, ISSUER, TERMINATOR, CERTIFICATE_HEADER, VERIFY_HEADER, CLIENT_ID, SCOPE, FILES } = process.env;
const fileIn = (path) => (existsSync(`${FILES}/${path}`) ? readFileSync(`${FILES}/${path}`, 'utf8').trim() : undefined);

const xfcc = ({ pem, sha256 }) => `Hash=${sha256.toString('hex')};Cert="${encodeURIComponent(pem)}"`;

/** What each terminator forwards: the header of the certificate and its value, then those of the verification. */
const formats = {
  nginx: ({ pem }) => ['x-ssl-client-cert', encodeURIComponent(pem), 'x-ssl-client-verify', 'SUCCESS'],
  'ingress-nginx': ({ pem }) => ['ssl-client-cert', encodeURIComponent(pem), 'ssl-client-verify', 'SUCCESS'],
  envoy: (certificate) => ['x-forwarded-client-cert', xfcc(certificate)],
  istio: (certificate) => ['x-forwarded-client-cert', xfcc(certificate)],
  haproxy: ({ der }) => ['x-ssl-client-cert', der, 'x-ssl-client-verify', '0'],
  apache: ({ pem }) => ['x-ssl-client-cert', pem.trim().replaceAll('\n', ' '), 'x-ssl-client-verify', 'SUCCESS'],
  caddy: ({ der }) => ['x-ssl-client-cert', der],
  traefik: ({ der }) => ['x-forwarded-tls-client-cert', der],
  rfc9440: ({ der }) => ['client-cert', `:${der}:`],
};

/** Without the CA certificates behind it: they would admit each server that they have issued a certificate to. */
function firstCertificateIn(path) {
  const chain = fileIn(path);
  return chain && new X509Certificate(chain).toString();
}

/** The gateway's own certificate, if the server requires one; and the only certificate that the server may have. */
const tls = {
  cert: fileIn('gateway/tls.crt'),
  key: fileIn('gateway/tls.key'),
  ca: firstCertificateIn('server/tls.crt'),
  allowPartialTrustChain: true,
  checkServerIdentity: () => undefined,
};

// Node calls it after each handshake, and crashes for a key on a brainpool curve. The trusted certificate is the check.
TLSSocket.prototype.getPeerCertificate = () => ({});

function send(path, { headers = {}, body } = {}) {
  const url = new URL(path, SERVICE_URL);
  const [request, options] = url.protocol === 'https:' ? [httpsRequest, tls] : [httpRequest, {}];
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { ...options, method: body ? 'POST' : 'GET', headers, timeout: 5000 }, (response) => {
      response
        .setEncoding('utf8')
        .toArray()
        .then((chunks) => resolve({ status: response.statusCode, text: chunks.join('') }), reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no response within 5 s')));
    outgoing.on('error', reject).end(body);
  });
}

async function documentAt(path) {
  const { status, text } = await send(path);
  if (status !== 200) throw new Error(`${path}: HTTP ${status} ${text}`);
  return JSON.parse(text);
}

/** Right after an installation, the Service may have no endpoint yet. */
async function whenReached(attempt) {
  for (const deadline = Date.now() + 30_000; ; await sleep(500)) {
    try {
      return await attempt();
    } catch (error) {
      if (error.code === undefined || Date.now() > deadline) throw error;
    }
  }
}

function forwardedCertificate() {
  const certificate = new X509Certificate(fileIn('client/certificate'));
  const format = formats[TERMINATOR];
  if (!format) throw new Error(`tests.client: the test does not know what ${TERMINATOR} forwards: remove tests.client`);
  const pem = certificate.toString();
  const sha256 = createHash('sha256').update(certificate.raw).digest();
  const [name, value, verify, success] = format({ pem, der: certificate.raw.toString('base64'), sha256 });
  const secret = fileIn('proxy-secret/secret')?.split(/\s+/)[0];
  return {
    thumbprint: sha256.toString('base64url'),
    headers: {
      [CERTIFICATE_HEADER || name]: value,
      ...((verify || VERIFY_HEADER) && { [VERIFY_HEADER || verify]: success ?? 'SUCCESS' }),
      ...(secret && { 'x-countersign-proxy-secret': secret }),
    },
  };
}

async function testToken() {
  const { headers, thumbprint } = forwardedCertificate();
  const form = { grant_type: 'client_credentials', client_id: CLIENT_ID, ...(SCOPE && { scope: SCOPE }) };
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  const { status, text } = await send('/token', {
    headers: { ...type, ...headers },
    body: String(new URLSearchParams(form)),
  });
  if (status !== 200) throw new Error(`/token: HTTP ${status} ${text.trim()}; the log of the server has the reason`);
  const claims = JSON.parse(Buffer.from(JSON.parse(text).access_token.split('.')[1], 'base64url'));
  if (claims.cnf?.['x5t#S256'] !== thumbprint) throw new Error('/token: the token is not bound to the certificate');
  console.log(`ok: ${CLIENT_ID} gets a token that is bound to its certificate`);
}

async function testRelease() {
  const { issuer } = await whenReached(() => documentAt('/.well-known/openid-configuration'));
  if (issuer !== ISSUER) throw new Error(`the metadata has the issuer ${issuer}, expected ${ISSUER}`);
  console.log(`ok: the metadata is that of ${issuer}`);
  const { keys } = await documentAt('/jwks');
  if (keys.length === 0) throw new Error('/jwks: there is no key');
  console.log(`ok: the JWKS has ${keys.length} key${keys.length === 1 ? '' : 's'}`);
  if (CLIENT_ID) await testToken();
  else console.log('no token was requested: set tests.client to name a client');
}

await testRelease().catch((error) => {
  console.error(`failed: ${error.message}`);
  process.exitCode = 1;
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';

/** How client libraries identify a client that has no secret. Each style is the default or an option of one of them. */

const clientId = 'style client/1';
const encoded = 'style+client%2F1';
const grant = 'grant_type=client_credentials';
const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`;

const styles: readonly (readonly [name: string, lines: readonly string[], body: string])[] = [
  ['client_id in the body', [], `${grant}&client_id=${encoded}`],
  ['client_id and an empty client_secret in the body', [], `${grant}&client_id=${encoded}&client_secret=`],
  ['an empty client_secret before client_id', [], `client_secret=&client_id=${encoded}&${grant}`],
  ['client_id without a value for scope', [], `${grant}&client_id=${encoded}&scope=`],
  [
    'client_id without values for scope, resource and secret',
    [],
    `${grant}&client_id=${encoded}&scope&resource=&client_secret`,
  ],
  ['client_id encoded with %20', [], `${grant}&client_id=style%20client%2f1`],
  ['Basic with an empty password', [basic(`${encoded}:`)], grant],
  ['Basic in lower case', [basic(`${encoded}:`).replace('Basic', 'basic')], grant],
  ['Basic that is not form-encoded', [basic(`${clientId}:`)], grant],
  ['Basic, and client_id in the body', [basic(`${encoded}:`)], `${grant}&client_id=${encoded}`],
  [
    'Basic, and client_id and an empty client_secret',
    [basic(`${encoded}:`)],
    `${grant}&client_id=${encoded}&client_secret=`,
  ],
  ['Basic, and an empty client_id in the body', [basic(`${encoded}:`)], `${grant}&client_id=&client_secret=`],
];

/** Request headers that libraries add; none of them changes the response. */
const headers: readonly (readonly [name: string, line: string])[] = [
  ['Accept of JSON', 'Accept: application/json'],
  ['Accept of JSON with a character set', 'Accept: application/json;charset=UTF-8'],
  ['Accept of something else', 'Accept: text/html, image/gif, image/jpeg, *; q=.2'],
  ['Accept-Charset', 'Accept-Charset: utf-8, iso-8859-1'],
  ['Accept-Encoding', 'Accept-Encoding: gzip, deflate, br'],
  ['Origin', 'Origin: https://elsewhere.example'],
];

describeWith(['nginx', 'redis-server'], 'a token request of a client library', () => {
  const own = selfSigned();
  let deployment: Deployment;

  beforeAll(async () => {
    deployment = await startDeployment();
    await deployment.register({
      client_id: clientId,
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      certificates: [{ thumbprint: own.thumbprint }],
      scope: 'read write',
    });
  });
  afterAll(() => deployment?.stop());

  const send = (lines: readonly string[], body: string, identity = own) => {
    const contentType = 'Content-Type: application/x-www-form-urlencoded';
    return deployment.decide(() =>
      deployment.send({ path: '/token', lines: [contentType, ...lines], body }, { identity }),
    );
  };

  test.each(styles)('is granted with %s', async (_name, lines, body) => {
    const { response, event } = await send(lines, body);
    expect([response.status, event.event, event.client_id]).toEqual([200, 'token_issued', clientId]);
  });

  test.each(styles)('is rejected with %s and the certificate of another client', async (_name, lines, body) => {
    const { response, event } = await send(lines, body, selfSigned());
    expect([response.status, response.json().error]).toEqual([lines.length > 0 ? 401 : 400, 'invalid_client']);
    expect(event.client_id).toBe(clientId);
  });

  test.each(headers)('gets the same response with %s', async (_name, line) => {
    const { response } = await send([line], `${grant}&client_id=${encoded}&scope=read`);
    const { access_token: token, ...rest } = response.json();
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: 3600, scope: 'read' });
    expect(String(token).split('.')).toHaveLength(3);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  describe('that presents a secret as well', () => {
    test.each([
      ['Basic', [basic(`${encoded}:secret`)], grant],
      ['the body', [], `${grant}&client_id=${encoded}&client_secret=secret`],
      ['the body, and Basic without one', [basic(`${encoded}:`)], `${grant}&client_secret=secret`],
    ])('in %s is rejected', async (_where, lines, body) => {
      const { response } = await send(lines, body);
      expect([response.status, response.json().error]).toEqual([400, 'invalid_request']);
    });
  });
});

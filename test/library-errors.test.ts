import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { parseRecords } from '../src/clients/files/parse-records.ts';
import { OperatorError } from '../src/errors/operator-error.ts';
import { openHttpListener } from '../src/http/listener.ts';
import { fetchCrl } from '../src/pki/crl/fetch-crl.ts';
import { createTestCa, selfSigned } from './support/certificates.ts';
import { freePort } from './support/free-port.ts';
import { withLine } from './support/with-line.ts';

/**
 * What an operator reads when a library fails: each row provokes an error for real. No message may contain what only the
 * author of a program understands.
 */
const RAW =
  /fetch failed|undici|error:[0-9A-F]{8}|:SSL routines|\.\.\/deps|NODE_DEBUG|--use-system-ca|getaddrinfo|undefined/;

const opened: Server[] = [];
afterAll(() => {
  for (const server of opened) server.close();
});

async function portOf(server: Server): Promise<number> {
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
}
const http = (respond: RequestListener) => portOf(createHttpServer(respond));
const tcp = (onConnection: (socket: Socket) => void) =>
  portOf(createTcpServer((socket) => onConnection(socket.on('error', () => {}))));
const https = ({ pem, privateKeyPem }: { pem: string; privateKeyPem: string }) =>
  portOf(createHttpsServer({ cert: pem, key: privateKeyPem }, (_, response) => response.end('x')));

async function messageOf(failing: Promise<unknown>): Promise<string> {
  const error = await failing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof OperatorError) return error.problems.join('\n');
  return error instanceof Error ? error.message : `did not throw, but returned ${error}`;
}

describe('a CRL that cannot be fetched', () => {
  const ca = createTestCa();
  const server = { eku: 'server', dns: ['localhost'] } as const;
  const plain = () => http((_, response) => response.end('x'));

  test.each<[string, () => Promise<string>, string | RegExp]>([
    ['from an unknown host', async () => 'http://nowhere.invalid/', /the host name is unknown|name server does not/],
    [
      'from a closed port',
      async () => `http://127.0.0.1:${await freePort()}/`,
      'cannot be reached: connection refused',
    ],
    ['from a closed port of a name', async () => `http://localhost:${await freePort()}/`, 'connection refused'],
    ['from a port that HTTP may not use', async () => 'http://127.0.0.1:6000/', 'reserved for another protocol'],
    [
      'over TLS from plain HTTP',
      async () => `https://127.0.0.1:${await plain()}/`,
      'does not respond with TLS on this',
    ],
    ['over HTTP from TLS', async () => `http://127.0.0.1:${await https(selfSigned(server))}/`, 'closed the connection'],
    [
      'from a self-signed server',
      async () => `https://localhost:${await https(selfSigned(server))}/`,
      'self-signed (DEP',
    ],
    [
      'from a server of a private CA',
      async () => `https://localhost:${await https(ca.issue(server))}/`,
      'no trusted CA issued it (UNABLE_TO_VERIFY_LEAF_SIGNATURE); add its CA with NODE_EXTRA_CA_CERTS',
    ],
    [
      'from a server with a client certificate',
      async () => `https://localhost:${await https(selfSigned({ eku: 'client' }))}/`,
      'its extended key usage lacks serverAuth',
    ],
    ['with status 404', async () => `http://127.0.0.1:${await http((_, r) => r.writeHead(404).end())}/`, 'status 404'],
    [
      'from a redirect',
      async () =>
        `http://127.0.0.1:${await http((_, r) => r.writeHead(302, { location: 'https://x.example/a?k=1' }).end())}/`,
      'redirects to https://x.example/a (status 302): set that URL',
    ],
    [
      'in a response that is cut off',
      async () =>
        `http://127.0.0.1:${await http((_, r) => r.writeHead(200, { 'content-length': 9 }).write('x', () => r.destroy()))}/`,
      /cut off|closed the connection/,
    ],
    [
      'in another content encoding than stated',
      async () =>
        `http://127.0.0.1:${await http((_, r) => r.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip at all'))}/`,
      'not in the content encoding that it states',
    ],
    [
      'in a response that is not HTTP',
      async () => `http://127.0.0.1:${await tcp((socket) => socket.end('220 mail.example ESMTP\r\n'))}/`,
      'does not respond with HTTP',
    ],
    ['in time', async () => `http://127.0.0.1:${await tcp(() => {})}/`, 'no complete response within 0.4 s'],
  ])('%s', async (situation, url, expected) => {
    const message = await messageOf(
      fetchCrl(await url(), new AbortController().signal, situation === 'in time' ? 400 : undefined),
    );
    expect(message).toMatch(expected);
    expect(message).not.toMatch(RAW);
  });
});

describe('a listener that cannot be opened', () => {
  test.each<[string, string, string]>([
    ['at an address of another machine', '192.0.2.1', 'this machine does not have that address'],
    ['at a link-local address', 'fe80::1', 'link-local addresses are not supported'],
    ['at an unknown name', 'nowhere.invalid', 'name'],
  ])('%s', async (_, host, expected) => {
    const address = { kind: 'tcp', host, port: 0 } as const;
    const message = await messageOf(
      openHttpListener(
        address,
        () => new Response(),
        () => {},
      ),
    );
    expect(message).toContain(`cannot listen on ${host}:0: `);
    expect(message).toContain(expected);
    expect(message).not.toMatch(RAW);
  });
});

describe('a clients file in YAML', () => {
  const of = (...lines: readonly string[]) => `clients:\n${lines.map((line) => `  ${line}\n`).join('')}`;
  const aliases = (name: string) => Array(12).fill(`*${name}`).join(', ');
  const bomb = `a: &a [1]\nb: &b [${aliases('a')}]\nclients: [${aliases('b')}]\n`;

  test.each<[string, string, string]>([
    ['with a tab', 'clients:\n\t- client_id: a\n', 'line 2: invalid YAML: a tab in the indentation; use spaces'],
    [
      'with a line that is indented too little',
      of('- client_id: a', ' scope: b'),
      'line 3: invalid YAML: wrong indent',
    ],
    ['with a list in the wrong column', 'clients:\n    - a: 1\n  - a: 2\n', 'line 3: invalid YAML: wrong indentation'],
    ['without a space after a colon', of('- client_id: a', '  scope:b'), 'line 3: invalid YAML: a line lacks ": "'],
    ['with a colon in a value', of('- note: see: this'), 'line 2: invalid YAML: a second ": "'],
    ['with a double quote that is open', of('- client_id: "a', '  scope: b'), 'line 2: invalid YAML: a quotation mark'],
    ['with a single quote that is open', of("- client_id: 'a", '  scope: b'), 'line 2: invalid YAML: a quotation mark'],
    ['with an apostrophe in single quotes', of("- note: 'it's'"), 'text after the closing quotation mark'],
    ['with a path in double quotes', of('- note: "C:\\q"'), '\\q is not an escape in double quotes; write \\\\'],
    ['with an open [', 'clients: [{client_id: a},\n', 'line 1: invalid YAML: a [ is not closed'],
    ['with an open {', of('- {client_id: a', '- {client_id: b}'), 'line 2: invalid YAML: a { is not closed'],
    ['with a ] too many', 'clients: [{client_id: a}]]\n', 'unexpected ]: its opening bracket is missing'],
    ['without a comma', of('- {client_id: a scope: b}'), 'a comma is missing within brackets'],
    ['with JSON without a comma', '{"clients": [{"a": "a" "b": "b"}]}', 'a comma is missing within brackets'],
    ['with a comma first', 'clients: [, a]', 'a comma without a value before it'],
    ['with @ first', of('- client_id: @a'), 'a value that starts with @ must be in quotes'],
    ['with & alone', of('- note: & more'), 'a value that starts with & must be in quotes'],
    ['with a tag', of('- note: !read x'), 'the tag !read is not supported'],
    ['with a value of another type than its tag', of('- note: !!int x'), 'not of the type of its tag !!int'],
    ['with a list behind its key', 'clients: - client_id: a\n', 'a list must start on the line after its key'],
    ['with a comment directly behind a value', of('- client_id: "a"#x'), 'a comment (#) lacks the space before it'],
    ['with text behind |', of('- note: |x', '    y'), 'text after | or > on its line'],
    ['with a directive only', '%YAML 1.2\n- client_id: a\n', '--- is missing after the directives'],
    ['with an unknown alias', of('- *a'), 'line 2: the alias *a has no anchor &a before it'],
    ['with an alias within its value', of('- &a', '  note: [*a]'), 'line 3: the alias *a is within its own value'],
    ['with an alias bomb', bomb, 'line 3: the aliases (*name) stand for more than 100 values'],
    ['with two documents', '- a: 1\n---\n- b: 1\n', 'line 2: a second document starts here'],
    [
      'with a merge conflict',
      'clients:\n<<<<<<< HEAD\n  - client_id: a\n=======\n',
      'line 2: invalid YAML: a merge conflict',
    ],
    ['with a template', of('- client_id: {{ .Values.id }}'), 'line 2: a template ({{): render it first'],
    ['nested deeply', '['.repeat(20_000), 'nested too deeply'],
  ])('%s is rejected with its cause', (_, text, expected) => {
    const parse = withLine(() => parseRecords('clients.yaml', text));
    expect(parse).toThrow(expected);
    expect(parse).not.toThrow(/implicit|compact mapping|flow|block|scalar|token|indicator/i);
  });
});

describe('a clients file in JSON', () => {
  test.each<[string, string, string]>([
    ['that is cut off', '[{"client_id": "a"', 'line 1: invalid JSON: the text ends too early'],
    ['with an open string', '[{"client_id": "a}]', 'a string is not closed'],
    ['with a trailing comma', '[{"client_id": "a",}]', 'a comma before }'],
    ['with two commas', '[{"client_id": "a",, "scope": "b"}]', 'a comma without a value before it'],
    ['with a comment', '[{"client_id": "a"} // x\n]', 'a comment, which JSON does not allow'],
    ['with single quotes', "[{'client_id': 'a'}]", "' in place of a double quotation mark"],
    ['with typographic quotes', '[{"client_id": “a”}]', 'a typographic quotation mark in place of "'],
    ['with a name without quotes', '[{client_id: "a"}]', 'a name must be in double quotes'],
    ['with a value without quotes', '[{"client_id": a}]', 'a word without quotation marks'],
    ['of Python', '[{"enabled": True}]', 'True is not a JSON value; true, false and null are'],
    ['with a line break in a string', '[{"note": "a\nb"}]', 'a line break in a string; write it as \\n'],
    ['with a tab in a string', '[{"note": "a\tb"}]', 'a tab in a string; write it as \\t'],
    ['with a backslash', '[{"note": "C:\\x"}]', 'an invalid escape in a string; write \\\\ for a backslash'],
    ['with a leading zero', '[{"n": 01}]', 'a number must not start with 0'],
    ['with a second value', '[]\n[]', 'line 2: invalid JSON: text after the end of the value'],
    ['with NUL behind it', '[]\0', 'unexpected U+0000'],
  ])('%s is rejected with its cause', (_, text, expected) => {
    const parse = withLine(() => parseRecords('clients.json', text));
    expect(parse).toThrow(expected);
    expect(parse).not.toThrow(/token|JSON input|property name|literal|in JSON/);
  });
});

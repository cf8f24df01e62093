import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { type DevelopmentServer, startDevelopmentServer } from '../support/development-server.ts';
import { documentedBlock } from '../support/documented-blocks.ts';
import { freePort } from '../support/free-port.ts';
import { programPath } from '../support/program-path.ts';
import { findProgram } from '../support/programs.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const cwd = temporaryDirectory();
const java = findProgram('java');
/** Java compiles the example first. */
const JAVA_TIMEOUT = 600_000;
let server: DevelopmentServer;

beforeAll(async () => {
  server = await startDevelopmentServer(cwd, await freePort());
});
afterAll(() => server.stop());

const block = (language: string, content: string) =>
  documentedBlock('docs/development.md', language, content, { 8443: String(server.port) });

/** Writes an example to a file, and requires that the program gets a token with it. */
const expectToken = async (program: string, file: string, example: string, options: readonly string[] = []) => {
  writeFileSync(join(cwd, file), example);
  const { stdout, stderr } = await runProgram(program, [...options, file], { cwd, timeout: JAVA_TIMEOUT });
  expect(stderr).toBe('');
  expect(decodeJwt(JSON.parse(stdout.toString()).access_token).client_id).toBe('mtls.client');
};

describeWith(['curl', 'python3'], 'docs/development.md: a token', () => {
  test('is issued to curl', () => expectToken('sh', 'token.sh', `${block('sh', '--cert-type P12').trim()} -sS`));

  test('is issued to Node.js', () => expectToken(process.execPath, 'token.mjs', block('js', 'passphrase')));

  test('is issued to Python', () => expectToken(programPath('python3'), 'token.py', block('python', 'urlopen')));

  // Java is not a program that the tests install.
  test.skipIf(!java)('is issued to Java, with its code or with the trust store that the terminal creates', async () => {
    const example = block('java', 'class Token');
    await expectToken(java ?? '', 'Token.java', example);
    const keytool = /^ +Java +(keytool .*\\)\n +(.*)$/m.exec(server.stdout());
    await runProgram('sh', ['-ec', `${keytool?.[1]}\n${keytool?.[2]}`], { cwd });
    const options = ['trustStore=trust.p12', 'trustStorePassword=changeit'];
    const bare = example
      .replace('trust.getTrustManagers()', 'null')
      .replace(/ +TrustManagerFactory trust[^}]*?trusted\);\n/, '');
    await expectToken(
      java ?? '',
      'Token.java',
      bare,
      options.map((option) => `-Djavax.net.ssl.${option}`),
    );
  });

  test('is issued to Node.js and Python with the environment that the terminal prints', async () => {
    const settings = [...server.stdout().matchAll(/(SSL_CERT_FILE|NODE_EXTRA_CA_CERTS)=(\S+)/g)];
    const env = Object.fromEntries(settings.map(([, name, value]) => [name, value]));
    const node = block('js', 'passphrase').replace(', ca, ...client', ', ...client');
    const python = block('python', 'urlopen').replace('cafile=".countersign/ca.pem"', '');
    for (const [program, file, example] of [
      [process.execPath, 'environment.mjs', node],
      [programPath('python3'), 'environment.py', python],
    ] as const) {
      writeFileSync(join(cwd, file), example);
      const { stdout } = await runProgram(program, [file], { cwd, env });
      expect(JSON.parse(stdout.toString())).toHaveProperty('access_token');
    }
  });
});

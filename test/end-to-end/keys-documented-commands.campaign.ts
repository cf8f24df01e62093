import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { documentedBlock } from '../support/documented-blocks.ts';
import { type OperatorShell, operatorShell } from '../support/operator-shell.ts';
import { programPath } from '../support/program-path.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Runs the commands of docs/keys.md, in the order in which an operator needs them. */
const block = (content: string, replacements: Readonly<Record<string, string>> = {}) =>
  documentedBlock('docs/keys.md', 'sh', content, replacements);

describeWith(['redis-server', 'openssl', 'jq'], 'the commands of docs/keys.md and docs/operate.md', () => {
  const folder = temporaryDirectory();
  const contentOf = (name: string) => readFileSync(join(folder, name), 'utf8');
  let redis: RunningRedis;
  let shell: OperatorShell;
  const kek = { COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: 'key-encryption-key' };
  const keys = async () => JSON.parse(await shell.succeed('countersign keys list -o json', kek)).keys;
  const signingKid = async () => (await keys()).find(({ state }: { state: string }) => state === 'signing').kid;

  beforeAll(async () => {
    redis = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
    shell = operatorShell(folder, { COUNTERSIGN_REDIS_URL: redis.url });
  });
  afterAll(() => redis?.stop());

  test('one key in a file becomes the first key of a keyring in Redis', async () => {
    await shell.succeed(block('export COUNTERSIGN_SIGNING_KEY_FILE'));
    await shell.succeed(block('export COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE'));
    expect(await shell.succeed(block('keys create --key signing-key.pem'), kek)).toContain('signing');
  });

  test('the key-encryption key is rotated, and the keyring sealed with the new one', async () => {
    const first = contentOf('key-encryption-key');
    await shell.succeed(block('cat key-encryption-key'));
    const [added = '', kept = ''] = contentOf('key-encryption-key').split('\n');
    expect([Buffer.from(added, 'base64url').length, `${kept}\n`]).toEqual([
      32,
      first.endsWith('\n') ? first : `${first}\n`,
    ]);
    await shell.succeed(block('keys reseal'), kek);
    writeFileSync(join(folder, 'key-encryption-key'), `${added}\n`);
    expect(await signingKid()).toEqual(expect.any(String));
  });

  test('a keyring is created, and rotated at once', async () => {
    const prefix = { COUNTERSIGN_REDIS_KEY_PREFIX: 'second:' };
    expect(await shell.succeed(block('countersign keys create\n'), { ...kek, ...prefix })).toContain('signing');
    const before = await signingKid();
    const rotated = await shell.run(block('keys rotate\n'), kek);
    // The next key has not been published for long enough.
    expect([rotated.code, rotated.stderr + rotated.stdout]).toEqual([1, expect.stringContaining('published')]);
    await shell.succeed(block('keys rotate --now'), kek);
    const after = await signingKid();
    expect(after).not.toBe(before);
    const next = (await keys()).find(({ state }: { state: string }) => state === 'next').kid;
    await shell.succeed(block('retire KID --now', { KID: next }), kek);
    expect((await keys()).map(({ kid }: { kid: string }) => kid)).not.toContain(next);
  });

  test('the records and the keyring of docs/operate.md are restored after Redis has lost them', async () => {
    const inOperate = (content: string) => documentedBlock('docs/operate.md', 'sh', content);
    const env = { ...kek, COUNTERSIGN_CHAIN_VERIFIED_BY: 'header' };
    writeFileSync(join(folder, 'clients.yaml'), documentedBlock('README.md', 'yaml', '# clients.yaml'));
    await shell.succeed('countersign clients apply clients.yaml; countersign tokens revoke --client billing', env);
    await shell.succeed(
      "countersign tokens revoke --jti \\'; countersign tokens revoke --resource https://a.example",
      env,
    );
    const before = await keys();
    await shell.succeed(inOperate('GET countersign:keyring'), env);
    const listRevoked = async () => {
      const { revocations } = JSON.parse(await shell.succeed('countersign tokens revoked --output json', env));
      return revocations
        .map(({ kind, value, before }: Record<string, string>) => [kind, value, before].join(' '))
        .sort();
    };
    const revoked = await listRevoked();
    expect(revoked).toHaveLength(3);
    await shell.succeed('redis-cli -u "$COUNTERSIGN_REDIS_URL" FLUSHALL');
    const restore = inOperate('SETNX countersign:keyring');
    expect(await shell.succeed(restore, env)).toMatch(/^1\n/);
    expect(await keys()).toEqual(before);
    // A keyring that is there already is kept.
    expect(await shell.succeed(restore, env)).toMatch(/^0\n/);
    expect(await shell.succeed(inOperate('clients apply clients-backup.yaml'), env)).toMatch(/^\+ billing/m);
    await shell.succeed(inOperate('xargs'), env);
    expect(await listRevoked()).toEqual(revoked);
  });

  test('a key is created in a directory, and added to a Secret', async () => {
    const directory = join(folder, 'keys');
    mkdirSync(directory);
    const day = new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 10);
    await shell.succeed(block('keys create --dir', { '/etc/countersign/keys': directory, '2026-12-01': day }));
    expect(readdirSync(directory)).toEqual([`${day}.pem`]);
    writeFileSync(join(folder, 'secret.json'), JSON.stringify({ kind: 'Secret', data: { 'first.pem': 'YQ==' } }));
    shell.install('kubectl', 'case $1 in get) cat secret.json ;; replace) cat > replaced.json ;; esac');
    copyFileSync(join(directory, `${day}.pem`), join(folder, `${day}.pem`));
    await shell.succeed(block('kubectl get secret', { '2026-12-01.pem': `${day}.pem` }));
    const { data } = JSON.parse(contentOf('replaced.json'));
    expect(Object.keys(data)).toEqual(['first.pem', `${day}.pem`]);
    expect(Buffer.from(data[`${day}.pem`], 'base64').toString()).toBe(
      readFileSync(join(directory, `${day}.pem`), 'utf8'),
    );
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { exitCodesHelp } from '../../src/commands/exit-codes.ts';
import { selfSigned } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const records = file('clients.yaml', 'clients: []');
const certificate = file('certificate.pem', selfSigned().pem);
const url = 'https://localhost:1';

/** What a command is called with, and what is wrong with it. */
interface Invocation {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Usage {
  /** Without an operand or an option that it requires; undefined if it requires none. */
  readonly incomplete?: readonly string[];
  /** With a setting, or the value of an option, that is invalid; undefined if it has neither. */
  readonly misconfigured?: Invocation;
}

const badUrl = (...args: string[]): Invocation => ({ args: [...args, '--redis-url', 'bogus'] });
const badSetting = (...args: string[]): Invocation => ({ args, env: { COUNTERSIGN_CLIENT_CA_FILE: '/nowhere.pem' } });

/** Every command, so that a new one fails here until it has a row. */
const usages: Readonly<Record<string, Usage>> = {
  serve: { incomplete: [], misconfigured: { args: ['--check'] } },
  dev: { misconfigured: { args: ['--port', 'x'] } },
  token: { incomplete: ['--url', url], misconfigured: { args: ['--url', 'bogus', '--cert', certificate] } },
  certificate: { incomplete: [], misconfigured: badSetting(certificate) },
  rejections: { misconfigured: { args: ['nothing-like-it'] } },
  doctor: { incomplete: [], misconfigured: { args: ['--url', url, '--operations', 'ftp://x'] } },
  completion: { incomplete: [], misconfigured: { args: ['csh'] } },
  'clients check': { incomplete: [], misconfigured: badSetting(records) },
  'clients import identityserver': { incomplete: [], misconfigured: { args: ['--query', 'oracle'] } },
  'clients import keycloak': { incomplete: [], misconfigured: { args: [records, '--out', ''] } },
  'clients plan': { incomplete: [], misconfigured: badUrl(records) },
  'clients apply': { incomplete: [], misconfigured: badUrl(records) },
  'clients list': { incomplete: [], misconfigured: badUrl() },
  'clients show': { incomplete: [], misconfigured: badUrl('a') },
  'clients disable': { incomplete: [], misconfigured: badUrl('a') },
  'clients enable': { incomplete: [], misconfigured: badUrl('a') },
  'clients remove': { incomplete: [], misconfigured: badUrl('a') },
  'clients export': { incomplete: [], misconfigured: badUrl() },
  'clients schema': {},
  'resources list': { incomplete: [], misconfigured: badUrl() },
  'resources show': { incomplete: [], misconfigured: badUrl('a') },
  'resources remove': { incomplete: [], misconfigured: badUrl('a') },
  'tokens revoke': { incomplete: [], misconfigured: badUrl('--client', 'a') },
  'tokens revoked': { incomplete: [], misconfigured: badUrl() },
  'keys list': { incomplete: [], misconfigured: badUrl() },
  'keys create': { incomplete: [], misconfigured: badUrl() },
  'keys export': { incomplete: ['--public'], misconfigured: badUrl('--public') },
  'keys rotate': { incomplete: [], misconfigured: badUrl() },
  'keys retire': { incomplete: [], misconfigured: badUrl('kid') },
  'keys reseal': { incomplete: [], misconfigured: badUrl() },
};

/** A usage or configuration error, by what is wrong. */
const invocations: readonly (readonly [string, Invocation])[] = Object.entries(usages).flatMap(
  ([name, { incomplete, misconfigured }]) => {
    const words = name.split(' ');
    return [
      [`${name} with an unknown option`, { args: [...words, '--nope'] }],
      ...(incomplete ? [[`${name} without what it requires`, { args: [...words, ...incomplete] }] as const] : []),
      ...(misconfigured
        ? [[`${name} with an invalid value`, { ...misconfigured, args: [...words, ...misconfigured.args] }] as const]
        : []),
    ] as const;
  },
);

describe('an exit code', () => {
  const codes = new Map<string, number>();
  const run = async (name: string, { args, env = {} }: Invocation) =>
    void codes.set(name, (await runCountersign(args, { env })).code);
  let names: readonly string[];

  beforeAll(async () => {
    // The shell completes every command.
    const { stdout } = await runCountersign(['completion', 'bash']);
    names = [...stdout.matchAll(/^ {4}' ?([a-z ]+)'\) case/gm)].map(([, words = '']) => words.trim());
    // Two at a time: each is a process.
    const left = [...invocations];
    const work = async () => {
      for (let next = left.shift(); next; next = left.shift()) await run(next[0], next[1]);
    };
    await Promise.all([work(), work()]);
  });

  test('is documented for every command', () => {
    const others = ['help', 'ls', 'get', 'delete', 'rm', 'validate'];
    const groups = names.filter((name) => names.some((other) => other.startsWith(`${name} `)));
    const commands = names.filter((name) => !groups.includes(name) && !others.includes(name.split(' ').at(-1) ?? ''));
    expect(commands.sort()).toEqual(Object.keys(usages).sort());
    for (const name of commands) expect(exitCodesHelp(name.split(' ')), name).toBeDefined();
  });

  test.each(invocations.map(([name]) => name))('is 2 for %s', (name) => {
    expect(codes.get(name)).toBe(2);
  });

  test.each<[string, number, readonly string[], Readonly<Record<string, string>>?]>([
    ['no command', 2, []],
    ['a group without a command', 2, ['clients']],
    ['an unknown command', 2, ['clients', 'lsit']],
    ['--settings with a file that does not exist', 2, ['clients', 'list', '--settings', '/nowhere.env']],
    ['a setting of another one', 2, ['clients', 'plan', records, '--redis-url', 'bogus', '--prune']],
    ['plan --detailed-exitcode with an unknown option', 1, ['clients', 'plan', '--detailed-exitcode', '--nope']],
    ['plan --detailed-exitcode without files', 1, ['clients', 'plan', '--detailed-exitcode']],
    [
      'plan --detailed-exitcode with an invalid setting',
      1,
      ['clients', 'plan', records, '--redis-url', 'bogus', '--detailed-exitcode'],
    ],
    ['another command with --detailed-exitcode', 2, ['clients', 'list', '--detailed-exitcode']],
    ['a file of records that does not exist', 1, ['clients', 'check', '/nowhere.yaml']],
    ['an empty path', 2, ['clients', 'check', '']],
    ['an empty path of a certificate', 2, ['certificate', '']],
    ['a certificate that does not exist', 1, ['certificate', '/nowhere.pem']],
    ['a directory of keys that --dir names', 1, ['keys', 'list', '--dir', '/nowhere']],
    ['one that a setting names', 2, ['keys', 'list'], { COUNTERSIGN_SIGNING_KEYS_DIR: '/nowhere' }],
    [
      'a new key in one that a setting names',
      2,
      ['keys', 'create', '--from', '2099-01-01'],
      { COUNTERSIGN_SIGNING_KEYS_DIR: '/nowhere' },
    ],
    ['doctor in JSON with an invalid URL', 2, ['doctor', '--url', 'bogus', '-o', 'json']],
    ['token in JSON with an invalid URL', 2, ['token', '--url', 'bogus', '--cert', certificate, '-o', 'json']],
  ])('is right for %s', async (_, code, args, env = {}) => {
    const finished = await runCountersign(args, { env });
    expect([finished.code, finished.stderr]).toEqual([code, expect.not.stringMatching(/^ {4}at /m)]);
  });

  /** By what of them is a client_id or the name of a resource. */
  const namingRecords: readonly (readonly string[])[] = [
    ...['show', 'get', 'disable', 'enable', 'remove', 'delete'].map((verb) => ['clients', verb, 'é']),
    ['clients', 'disable', 'valid', 'x'.repeat(256)],
    ['clients', 'remove', ''],
    ['tokens', 'revoke', '--client', 'é'],
    ...['show', 'get', 'remove', 'delete'].map((verb) => ['resources', verb, 'A B']),
    ['tokens', 'revoke', '--resource', 'A B'],
  ];

  test.each(namingRecords)('is 2 for %s %s %s, whether or not Redis can be reached', async (...args) => {
    const { code, stdout, stderr } = await runCountersign([...args, '--redis-url', 'redis://localhost:1']);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(/is (?:not a|neither the) .*\n$/)]);
  });

  test('is 1 if Redis cannot be reached', async () => {
    const redis = `redis://127.0.0.1:${await freePort()}`;
    const finished = await Promise.all([
      runCountersign(['clients', 'list', '--redis-url', redis]),
      runCountersign(['clients', 'plan', records, '--redis-url', redis, '--detailed-exitcode']),
    ]);
    expect(finished.map(({ code }) => code)).toEqual([1, 1]);
  });
});

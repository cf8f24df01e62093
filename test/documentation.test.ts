import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verifierCaches } from '../src/commands/keys/verifier-caches.ts';
import { watchedFileNames } from '../src/watch/watched-file.ts';
import { describeWith } from './support/describe-with.ts';
import { programPath } from './support/program-path.ts';
import { repositoryRoot } from './support/repository-root.ts';

const pages = [
  ...readdirSync(repositoryRoot).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(repositoryRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const textOf = (page: string) => readFileSync(join(repositoryRoot, page), 'utf8');

/** The anchor that forges give a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
const anchorsIn = (page: string) =>
  [...textOf(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

describe('links and paths in the documentation resolve:', () => {
  test.each(pages)('the links of %s', (page) => {
    const links = [...textOf(page).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, target = '']) => target);
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(repositoryRoot, target))) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchorsIn(target).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test.each(['docs/architecture.md', 'CONTRIBUTING.md'])('the source files that %s names', (page) => {
    const paths = [...textOf(page).matchAll(/`((?:src|test|docs)?\/?[\w-]+\/[\w./-]+\.(?:ts|md))`/g)].map(
      ([, path = '']) => path,
    );
    expect(paths.length).toBeGreaterThan(5);
    const missing = paths.filter(
      (path) => ![path, join('src', path)].some((at) => existsSync(join(repositoryRoot, at))),
    );
    expect(missing).toEqual([]);
  });

  test('the pages that messages and help name', () => {
    const sources = globSync('src/**/*.ts', { cwd: repositoryRoot }).map((path) => ({ path, text: textOf(path) }));
    const named = sources.flatMap(({ text }) => [
      ...[...text.matchAll(/documentationUrl\('([^']+)'\)/g)].map(([, page = '']) => page),
      ...[...text.matchAll(/\bdocs\/([\w-]+\.md)/g)].map(([, page = '']) => page),
    ]);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((page) => !existsSync(join(repositoryRoot, 'docs', page)))).toEqual([]);
    // These texts are in the documentation itself as well.
    const documented = /^src\/reasons/;
    const printed = sources
      .filter(({ path }) => !documented.test(path) && path !== 'src/documentation.ts')
      .flatMap(({ path, text }) => text.split('\n').map((line) => `${path}: ${line}`))
      .filter((line) => /^\S+ (?!\s*(?:\/?\*|\/\/)).*\bdocs\/[\w-]+\.md/.test(line.replace(/ \/\/ .*/, '')));
    expect(printed).toEqual([]);
  });

  test('every script that CONTRIBUTING.md names exists, and every script is named there', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const text = textOf('CONTRIBUTING.md');
    const named = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    const isNamed = (name: string) => text.includes(`npm run ${name}`) || text.includes(`npm ${name}`);
    const abbreviated = Object.keys(scripts).filter((name) => !isNamed(name) && !text.includes(`\`${name}\``));
    expect(abbreviated).toEqual([]);
  });
});

describeWith(['jq'], 'a documented search in a log', () => {
  // A full disk cuts a line, and the journal has the lines of standard error as well.
  const noise = ['{"level":"warn","event":"token_rej', 'countersign: the log cannot be written: broken pipe', ''];
  const event = { level: 'warn', event: 'token_issued', code: 'path_expired', client_id: 'billing', chain: 'path' };
  const filters = pages.flatMap((page) => [...textOf(page).matchAll(/jq -\w+ '([^']*\bselect\([^']*)'/g)]);

  test.each(filters.map(([command, filter = '']) => [command, filter]))(
    'reads on after a line that is not JSON: %s',
    (command, filter) => {
      expect(command).toMatch(/ -R[cr]? /);
      const { code = event.code } = filter.match(/\.code == "(?<code>\w+)"/)?.groups ?? {};
      const { code: _, ...withoutCode } = event;
      const log = [...noise, JSON.stringify({ ...event, code }), JSON.stringify(withoutCode)];
      const output = execFileSync(programPath('jq'), ['-Rc', filter], {
        input: `${log.join('\n')}\n`,
        encoding: 'utf8',
      });
      expect(output).toMatch(/token_issued|billing|path_expired/);
    },
  );

  test('is found on every page that has one', () => {
    expect(filters.length).toBe(pages.flatMap((page) => textOf(page).match(/\bjq .*\bselect\(/g) ?? []).length);
  });
});

test('docs/metrics.md lists every log event of the server', () => {
  const files = readdirSync(join(repositoryRoot, 'src'), { recursive: true, encoding: 'utf8' });
  const texts = files.filter((name) => name.endsWith('.ts')).map((name) => textOf(join('src', name)));
  const named = texts.flatMap((text) => [...text.matchAll(/\bevent: '(\w+)'/g)].map(([, event = '']) => event));
  const reloads = Object.keys(watchedFileNames).flatMap((name) => [`${name}_reloaded`, `${name}_reload_failed`]);
  const events = [...named, ...reloads];
  expect(events.length).toBeGreaterThan(50);
  const page = textOf('docs/metrics.md');
  expect(events.filter((event) => !page.includes(`\`${event}\``))).toEqual([]);
});

describe('what `keys rotate --now` prints about verifiers is in docs/keys.md:', () => {
  const rows = textOf('docs/keys.md')
    .split('\n')
    .map((line) => line.split(' | '))
    .filter(({ length }) => length === 4);

  test.each(verifierCaches)('%s accepts a removed key for %s', (verifiers, accepts) => {
    for (const verifier of verifiers.split(', ')) {
      const times = rows.filter(([name = '']) => name.includes(verifier)).map(([, , , time = '']) => time);
      expect(times.some((time) => normalize(time).includes(normalize(accepts)))).toBe(true);
    }
  });
});

const normalize = (text: string) => text.replaceAll(/[*`]/g, '');

/** Guarantees before it were tested before they were written down. */
const FIRST_GUARANTEE_WITH_TESTS = 17;

describe('the guarantees of SECURITY.md on keys and tokens', () => {
  const section =
    textOf('SECURITY.md')
      .split(/^## /m)
      .find((text) => text.startsWith('Guarantees')) ?? '';
  const guarantees = section
    .split(/^(?=\d+\. )/m)
    .slice(1)
    .map((text) => ({ number: Number.parseInt(text, 10), text }))
    .filter(({ number }) => number >= FIRST_GUARANTEE_WITH_TESTS);

  test('are there, and each names a test', () => {
    expect(guarantees.length).toBeGreaterThan(5);
    expect(guarantees.filter(({ text }) => namedTests(text).length === 0).map(({ number }) => number)).toEqual([]);
  });

  test.each(guarantees.flatMap(({ number, text }) => namedTests(text).map((named) => ({ number, ...named }))))(
    '$number is held by a test that exists: $name',
    ({ file, name }) => {
      const names = testNamesIn(file);
      expect(name.split(' › ').filter((part) => !names.has(part))).toEqual([]);
    },
  );
});

/** What a guarantee names as ``- *group › test* (`file`)``. Not as a link: the package does not contain tests. */
function namedTests(text: string): { readonly file: string; readonly name: string }[] {
  const named = text.replaceAll(/\s+/g, ' ').matchAll(/- \*([^*]+)\* \(`(test\/[^`]+)`\)/g);
  return [...named].map(([, name = '', file = '']) => ({ file, name }));
}

/** The names of the tests of a file, of their groups and of the rows of tables, as they are written there. */
function testNamesIn(file: string): ReadonlySet<string> {
  const call = /\b(?:test|describe)(?:\.(?:each|for|concurrent|sequential))*\(|\)\(|`\(|\bdescribeWith\(\[[^\]]*\],|\[/;
  const name = /\s*(?:'([^'\n]+)'|`([^`]+)`|"([^"\n]+)"),/;
  const names = textOf(file).matchAll(new RegExp(`(?:${call.source})${name.source}`, 'g'));
  return new Set([...names].map(([, single, template, double]) => single ?? template ?? double ?? ''));
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
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

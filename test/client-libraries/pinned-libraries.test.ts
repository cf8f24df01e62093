import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repositoryRoot } from '../support/repository-root.ts';
import { libraries, pinnedVersion } from './libraries.ts';

const textOf = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');

test.each(libraries)('docs/client-libraries.md has the pinned version and the notes of $name', (library) => {
  const row = textOf('docs/client-libraries.md')
    .split('\n')
    .find((line) => line.startsWith(`| ${library.name} | ${pinnedVersion(library)} |`));
  expect(row).toMatch(/ \|$/);
  expect(row).toContain(`| ${library.notes} |`);
});

describe('the pinned libraries come from the usual registry of their language:', () => {
  const folder = 'test/client-libraries';

  test('every source of Cargo.lock is crates.io', () => {
    const sources = [...textOf(`${folder}/rust/Cargo.lock`).matchAll(/^source = "(.*)"$/gm)].map(([, url]) => url);
    expect(new Set(sources)).toEqual(new Set(['registry+https://github.com/rust-lang/crates.io-index']));
  });

  test('pom.xml names no repository, and an exact version of each artifact', () => {
    const pom = textOf(`${folder}/java/pom.xml`);
    expect(pom).not.toMatch(/repositor(?:y|ies)>/);
    const versions = [...pom.matchAll(/version>([^<\s]+)</g)].map(([, version = '']) => version);
    expect(versions.length).toBeGreaterThan(5);
    expect(versions.filter((version) => !/^(?:[\d.]+|\$\{spring-security\.version\})$/.test(version))).toEqual([]);
  });

  test('requirements.txt has an exact version of each package, and nothing else', () => {
    const lines = textOf(`${folder}/python/requirements.txt`).trim().split('\n');
    expect(lines.filter((line) => !/^[\w-]+==[\w.]+$/.test(line))).toEqual([]);
  });

  test('go.mod replaces no module', () => {
    expect(textOf(`${folder}/go/go.mod`)).not.toMatch(/replace|https?:/);
  });
});

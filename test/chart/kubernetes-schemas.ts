import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { findPip } from '../support/install-envoy.ts';
import { runInstaller } from '../support/run-installer.ts';
import type { Manifest } from './manifest.ts';

/** The schemas of every version of Kubernetes since 1.25, which reject unknown fields. */
const requirement = 'kubernetes-validate==1.37.0';
const sha256 = '85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9';

/** The oldest version that the chart supports, and the newest that has schemas. */
export const kubernetesVersions = ['1.29', '1.37'] as const;
export type KubernetesVersion = (typeof kubernetesVersions)[number];

interface Definitions {
  readonly $id: string;
  readonly $defs: Readonly<Record<string, Definition>>;
}

interface Definition {
  readonly properties?: Readonly<Record<string, { readonly enum?: readonly string[] }>>;
}

const validators = new Map<KubernetesVersion, (manifest: Manifest) => readonly string[]>();

/** What the API server of this version would not accept in an object, as far as its schema states it. */
export function schemaViolations(version: KubernetesVersion, manifest: Manifest): readonly string[] {
  const validate = validators.get(version) ?? createValidator(version);
  validators.set(version, validate);
  return validate(manifest);
}

function createValidator(version: KubernetesVersion): (manifest: Manifest) => readonly string[] {
  const file = join(schemaFolder(), `v${version}.0-local-strict`, '_definitions.json');
  const definitions: Definitions = JSON.parse(readFileSync(file, 'utf8'));
  // The formats of OpenAPI, such as int32, are no constraints of these objects.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(definitions);
  const compiled = new Map<string, ValidateFunction>();
  return (manifest) => {
    const { apiVersion, kind, metadata } = manifest;
    const name = Object.entries(definitions.$defs).find(([, { properties }]) => {
      const states = (property: string, value: string) => properties?.[property]?.enum?.includes(value) === true;
      return states('apiVersion', apiVersion) && states('kind', kind);
    })?.[0];
    if (name === undefined) return [`${apiVersion} ${kind} does not exist in Kubernetes ${version}`];
    const validate = compiled.get(name) ?? ajv.compile({ $ref: `${definitions.$id}#/$defs/${name}` });
    compiled.set(name, validate);
    validate(manifest);
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${kind} ${metadata.name}${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  };
}

/** Installs the schemas outside the clone, unless they are cached. */
function schemaFolder(): string {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'countersign', 'kubernetes-schemas');
  const folder = join(cache, requirement);
  if (!existsSync(folder)) download(cache, folder);
  return join(folder, 'kubernetes_validate', 'kubernetes-json-schema');
}

function download(cache: string, folder: string): void {
  const pip = findPip();
  if (!pip) throw new Error('pip is missing: install it with "sudo apt-get install python3-pip"');
  mkdirSync(cache, { recursive: true });
  const staging = mkdtempSync(`${folder}.partial-`);
  try {
    const requirements = join(staging, 'requirements.txt');
    writeFileSync(requirements, `${requirement} --hash=sha256:${sha256}`);
    const [command, ...args] = pip;
    const quietly = ['--quiet', '--no-input', '--disable-pip-version-check', '--no-deps', '--no-compile'];
    const unpacked = join(staging, 'unpacked');
    runInstaller(command, [...args, 'install', ...quietly, '--target', unpacked, '-r', requirements], {
      PIP_USER: '0',
      PIP_REQUIRE_VIRTUALENV: '0',
    });
    renameSync(unpacked, folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

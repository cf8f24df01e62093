import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { cachedPackage } from '../support/python-package.ts';
import type { Manifest } from './manifest.ts';

/** The schemas of every version of Kubernetes since 1.25, which reject unknown fields. */
const schemas = {
  requirement: 'kubernetes-validate==1.37.0',
  sha256: ['85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9'],
};

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

/** Installs the schemas, unless they are cached. */
function schemaFolder(): string {
  return join(cachedPackage('kubernetes-schemas', schemas), 'kubernetes_validate', 'kubernetes-json-schema');
}

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { parseAllDocuments } from 'yaml';
import { runInstaller } from '../support/run-installer.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import type { Manifest } from './manifest.ts';

/** The Go modules that contain the definitions of custom resources, each with the files of the definitions. */
const modules: Readonly<Record<string, string>> = {
  'sigs.k8s.io/gateway-api@v1.5.1': 'config/crd/standard/*.yaml',
  'github.com/envoyproxy/gateway@v1.9.1': 'charts/gateway-helm/charts/crds/crds/generated/*.yaml',
  'istio.io/api@v1.32.0': 'kubernetes/customresourcedefinitions.gen.yaml',
  'github.com/traefik/traefik/v3@v3.7.13':
    'docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml',
  'github.com/kgateway-dev/kgateway/v2@v2.4.2': 'install/helm/kgateway-crds/templates/*.yaml',
  'github.com/cert-manager/cert-manager@v1.21.2': 'deploy/crds/*.yaml',
  'github.com/cert-manager/approver-policy@v0.28.0': 'deploy/crds/*.yaml',
  'github.com/cert-manager/trust-manager@v0.25.0': 'deploy/crds/*.yaml',
  'github.com/prometheus-operator/prometheus-operator@v0.85.0': 'example/prometheus-operator-crd/*.yaml',
};

/** The parts of a JSON schema that differ in a definition of custom resources. */
interface Schema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

interface Definition {
  readonly kind: string;
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

/** Whether the API server, with these definitions, would reject the fields of an object; empty if not. */
export type ResourceValidator = (manifest: Manifest) => readonly string[];

/**
 * Downloads the definitions as Go modules, which Go caches, and compiles them so that they reject unknown fields. Rules in CEL
 * are not evaluated.
 */
export function customResourceValidator(): ResourceValidator {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const definitions = Object.entries(modules).flatMap(([module, files]) => readDefinitions(module, files));
  const schemas = new Map<string, Schema>(
    definitions.flatMap(({ spec: { group, names, versions } }) =>
      versions.map(({ name, schema }) => [`${group}/${name} ${names.kind}`, schema.openAPIV3Schema] as const),
    ),
  );
  const compiled = new Map<string, ValidateFunction>();
  return (manifest) => {
    const { apiVersion, kind, metadata } = manifest;
    const name = `${apiVersion} ${kind}`;
    const schema = schemas.get(name);
    if (!schema) return [`${name} is not defined by ${Object.keys(modules).join(', ')}`];
    const validate = compiled.get(name) ?? ajv.compile(strict(schema));
    compiled.set(name, validate);
    validate(manifest);
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${kind} ${metadata.name}${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  };
}

function readDefinitions(module: string, files: string): readonly Definition[] {
  // Outside of a module of Go, so that nothing but this version is resolved.
  const downloaded = runInstaller('go', ['-C', temporaryDirectory(), 'mod', 'download', '-json', module]);
  const { Dir: folder } = JSON.parse(downloaded);
  const paths = globSync(files, { cwd: folder });
  if (paths.length === 0) throw new Error(`${module} has no ${files}`);
  return paths
    .flatMap((path) => parseAllDocuments(readFileSync(join(folder, path), 'utf8')))
    .map((document) => document.toJS() as Definition | null) // Safe: filtered by kind below.
    .filter((definition) => definition !== null)
    .filter(({ kind }) => kind === 'CustomResourceDefinition');
}

/** The schema as the API server applies it with `fieldValidation=Strict`: fields that it does not name are errors. */
function strict(schema: Schema, isRoot = true): Schema {
  const { properties, items, additionalProperties, ...rest } = schema;
  if (schema['x-kubernetes-int-or-string']) return {};
  const known = isRoot ? { ...properties, apiVersion: {}, kind: {}, metadata: {} } : properties;
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] || additionalProperties === true;
  return {
    ...rest,
    // As JavaScript spells the flag that Go allows anywhere.
    ...(rest.pattern && { pattern: rest.pattern.replace(/^\^\(\?i\)(.*)\$$/, '^(?i:$1)$') }),
    ...(known && {
      properties: Object.fromEntries(Object.entries(known).map(([name, each]) => [name, strict(each, false)])),
      ...(!isOpen && { additionalProperties: false }),
    }),
    ...(items && { items: strict(items, false) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: strict(additionalProperties, false) }),
  };
}

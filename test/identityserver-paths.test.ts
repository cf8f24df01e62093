import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { uncommentIdentityServerPaths } from './support/identityserver-paths.ts';
import { repositoryRoot } from './support/repository-root.ts';

/** What the lines of each file lead to; the tests cannot run these gateways. */
const expected = {
  '/connect/token': '/token',
  '/connect/mtls/token': '/token',
  '/connect/introspect': '/introspect',
  '/connect/mtls/introspect': '/introspect',
  '/connect/revocation': '/revoke',
  '/connect/mtls/revocation': '/revoke',
  '/connect/mtls/revoke': '/revoke',
  '/.well-known/openid-configuration/jwks': '/jwks',
};

interface HttpRoute {
  readonly parentRefs: readonly { readonly name: string }[];
  readonly hostnames: readonly string[];
  readonly rules: readonly {
    readonly matches?: readonly { readonly path: { readonly type: string; readonly value: string } }[];
    readonly filters?: readonly {
      readonly type: string;
      readonly urlRewrite?: { readonly path: { readonly type: string; readonly replaceFullPath: string } };
    }[];
    readonly backendRefs: unknown;
  }[];
}

interface VirtualService {
  readonly http: readonly {
    readonly match?: readonly { readonly uri: { readonly exact: string } }[];
    readonly rewrite?: { readonly uri: string };
    readonly route: unknown;
    readonly retries: unknown;
    readonly headers: unknown;
  }[];
}

interface Replacement {
  readonly regex: string;
  readonly replacement: string;
}

interface Manifest<Spec> {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Spec;
}

/** The documents of a file once its commented lines are not. */
function uncommented<Spec>(file: string): Manifest<Spec>[] {
  let text = readFileSync(join(repositoryRoot, file), 'utf8');
  for (const [from, to] of uncommentIdentityServerPaths(file)) text = text.replaceAll(from, () => to);
  const documents = parseAllDocuments(text);
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  // Safe: each test reads the kind that its file has.
  return documents.map((document) => document.toJS() as Manifest<Spec>);
}

describe('the commented lines for the paths of IdentityServer lead to Countersign in', () => {
  test.each(['envoy-gateway', 'kgateway', 'nginx-gateway-fabric'])('deploy/gateways/%s.yaml', (gateway) => {
    const routes = uncommented<HttpRoute>(`deploy/gateways/${gateway}.yaml`).filter(({ kind }) => kind === 'HTTPRoute');
    const [added, ...others] = routes.toReversed();
    expect(added?.spec.hostnames.toSorted()).toEqual(others.flatMap(({ spec }) => spec.hostnames).toSorted());
    const parents = (from: typeof others) =>
      new Set(from.flatMap(({ spec }) => spec.parentRefs.map(({ name }) => name)));
    expect(parents(added ? [added] : [])).toEqual(parents(others));
    const [usual] = others.flatMap(({ spec }) => spec.rules);
    const rules = added?.spec.rules ?? [];
    for (const { filters = [], backendRefs } of rules) {
      expect(backendRefs).toEqual(usual?.backendRefs);
      expect(filters.filter(({ type }) => type !== 'URLRewrite')).toEqual(usual?.filters ?? []);
    }
    const paths = rules.flatMap(({ matches = [], filters = [] }) =>
      matches.map(({ path }) => [
        path.value,
        filters.find(({ urlRewrite }) => urlRewrite)?.urlRewrite?.path.replaceFullPath,
      ]),
    );
    expect(Object.fromEntries(paths)).toEqual(expected);
  });

  test('deploy/gateways/istio.yaml', () => {
    const services = uncommented<VirtualService>('deploy/gateways/istio.yaml');
    const rules = services.find(({ kind }) => kind === 'VirtualService')?.spec.http ?? [];
    const last = rules.at(-1);
    for (const { match: _, rewrite: __, ...rest } of rules) expect(rest).toEqual(last);
    const paths = rules.flatMap(({ match = [], rewrite }) => match.map(({ uri }) => [uri.exact, rewrite?.uri]));
    expect(Object.fromEntries(paths)).toEqual(expected);
  });

  test('deploy/gateways/traefik.yaml', () => {
    const manifests = uncommented<{ routes?: { middlewares: { name: string }[] }[]; replacePathRegex?: Replacement }>(
      'deploy/gateways/traefik.yaml',
    );
    const replacements = new Map(manifests.map(({ metadata, spec }) => [metadata.name, spec?.replacePathRegex]));
    const routes = manifests.flatMap(({ spec }) => spec?.routes ?? []);
    expect(routes).toHaveLength(2);
    for (const { middlewares } of routes)
      expect(rewritten(middlewares.map(({ name }) => replacements.get(name)))).toEqual(expected);
  });

  test('deploy/terminators/traefik-dynamic.yaml', () => {
    const [manifest] = uncommented<undefined>('deploy/terminators/traefik-dynamic.yaml');
    const { routers, middlewares } = Object(manifest).http;
    for (const router of [routers.mtls, routers.plain])
      expect(rewritten(router.middlewares.map((name: string) => middlewares[name].replacePathRegex))).toEqual(expected);
  });
});

function rewritten(replacements: readonly (Replacement | undefined)[]): Record<string, string> {
  const rewrite = (path: string) =>
    replacements.reduce((text, each) => (each ? text.replace(new RegExp(each.regex), each.replacement) : text), path);
  const unrelated = [
    '/token',
    '/connect/tokens',
    '/x/connect/token',
    '/connect/mtls',
    '/.well-known/openid-configuration',
  ];
  expect(unrelated.map(rewrite)).toEqual(unrelated);
  return Object.fromEntries(Object.keys(expected).map((path) => [path, rewrite(path)]));
}

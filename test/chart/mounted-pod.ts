import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type Container, type Manifest, podSpecOf } from './manifest.ts';

/** The contents of Secrets and ConfigMaps, by name and key. */
export type Contents = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A container as a process of this machine can stand for it. */
export interface MountedContainer {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface Volume {
  readonly name: string;
  readonly secret?: { readonly secretName: string; readonly items?: readonly { key: string; path: string }[] };
  readonly configMap?: { readonly name: string };
}

/**
 * Writes the volumes of a pod to a folder, and has the paths in a container begin with that folder.
 *
 * @param contents of what the chart does not create
 * @param name of the container; by default, the first one that is not an init container
 * @throws {Error} if a Secret or ConfigMap does not exist, or lacks a key
 */
export function mountPod(
  manifests: readonly Manifest[],
  manifest: Manifest,
  contents: Contents,
  name?: string,
): MountedContainer {
  const pod = podSpecOf(manifest);
  const { containers = [], initContainers = [] } = pod ?? {};
  const container = [...containers, ...initContainers].find((each) => name === undefined || each.name === name);
  if (!pod || !container) throw new Error(`${manifest.kind} has no container`);
  const folder = temporaryDirectory();
  const existing = { ...contents, ...ownConfigMaps(manifests) };
  // Safe: validated against the schemas of Kubernetes; the chart uses no other kinds in these values.
  const volumes = (pod.volumes ?? []) as unknown as readonly Volume[];
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const volume = volumes.find((each) => each.name === name);
    const mount = join(folder, mountPath.slice(MOUNTS.length));
    mkdirSync(mount, { recursive: true });
    for (const [path, content] of Object.entries(volume ? filesOf(volume, existing) : {}))
      writeFileSync(join(mount, path), content, { mode: volume?.secret ? 0o440 : 0o644 });
  }
  const moved = (text: string) => (text.startsWith(MOUNTS) ? folder + text.slice(MOUNTS.length) : text);
  return {
    command: container.command ?? [],
    args: (container.args ?? []).map(moved),
    env: environmentOf(container, moved),
  };
}

const MOUNTS = '/etc/countersign';

function ownConfigMaps(manifests: readonly Manifest[]): Contents {
  const own = manifests.filter(({ kind }) => kind === 'ConfigMap');
  return Object.fromEntries(own.map(({ metadata, data = {} }) => [metadata.name, data]));
}

function filesOf({ secret, configMap }: Volume, contents: Contents): Readonly<Record<string, string>> {
  const name = secret?.secretName ?? configMap?.name ?? '';
  const files = existing(contents[name], name);
  if (!secret?.items) return files;
  return Object.fromEntries(
    secret.items.map(({ key, path }) => [path, existing(files[key], `${secret.secretName}: ${key}`)]),
  );
}

function existing<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`there is no ${name}`);
  return value;
}

function environmentOf({ env = [] }: Container, moved: (text: string) => string): Readonly<Record<string, string>> {
  return Object.fromEntries(env.map(({ name, value = '' }) => [name, moved(value)]));
}

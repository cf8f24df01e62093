import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';

/** What kubelet changes for the whole machine. */
const changedByKubelet = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
].map((name) => join('/proc/sys', name));

const cgroupRoot = '/sys/fs/cgroup';

/**
 * Remembers what a cluster changes outside its namespaces.
 *
 * @param cgroup the name of the parent of its cgroups
 * @returns removes the cgroups and restores the settings of the kernel, once all processes of the cluster have ended
 */
export function machineState(cgroup: string): () => Promise<void> {
  const settings = changedByKubelet.map((path) => [path, readFileSync(path, 'utf8')] as const);
  return async () => {
    for (const folder of cgroupFolders(cgroup))
      await eventually(
        () => isRemoved(folder),
        () => `${folder} is in use`,
      );
    for (const [path, value] of settings) writeFileSync(path, value);
  };
}

/** In every hierarchy, the deepest ones first. */
function cgroupFolders(name: string): readonly string[] {
  const roots = readdirSync(cgroupRoot).map((hierarchy) => join(cgroupRoot, hierarchy, name));
  const folders = roots.filter((path) => existsSync(path)).flatMap((path) => [path, ...foldersBelow(path)]);
  return folders.sort((one, other) => other.length - one.length);
}

function foldersBelow(path: string): string[] {
  const entries = readdirSync(path, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

function isRemoved(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    // Its processes are ending, or another hierarchy has another name for it.
    return !existsSync(folder);
  }
}

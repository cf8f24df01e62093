import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './temporary-directory.ts';

/** A new private key on a curve, by default P-256. */
export function newKey(namedCurve = 'P-256'): KeyObject {
  return generateKeyPairSync('ec', { namedCurve }).privateKey;
}

export function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A new private key on a curve, PEM. */
export function newPem(namedCurve = 'P-256'): string {
  return pemOf(newKey(namedCurve));
}

/** The content of each file, by its name. */
export type Files = Readonly<Record<string, string>>;

/** Writes files with the mode of secrets. */
export function writeFiles(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
}

/** A new folder with these files. */
export function folderWith(files: Files): string {
  const folder = temporaryDirectory();
  writeFiles(folder, files);
  return folder;
}

/** A volume as mounted by Kubernetes: files are links into `..data`, which links to the directory of a version. */
export interface SecretVolume {
  readonly folder: string;
  /** Replaces all files at once, as the kubelet does when the Secret has changed. */
  readonly swap: (files: Files) => void;
}

export function mountSecret(files: Files): SecretVolume {
  const folder = temporaryDirectory();
  let version = 0;
  let mounted: Files = {};
  /** The steps of the kubelet's AtomicWriter. */
  const swap = (next: Files) => {
    version += 1;
    const name = `..2026_11_01_00_00_00.${version}`;
    mkdirSync(join(folder, name), { mode: 0o755 });
    writeFiles(join(folder, name), next);
    symlinkSync(name, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    for (const file of Object.keys(next)) if (!(file in mounted)) symlinkSync(`..data/${file}`, join(folder, file));
    for (const file of Object.keys(mounted)) if (!(file in next)) rmSync(join(folder, file));
    if (version > 1) rmSync(join(folder, `..2026_11_01_00_00_00.${version - 1}`), { recursive: true });
    mounted = next;
  };
  swap(files);
  return { folder, swap };
}

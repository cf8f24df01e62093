import { type RunningProgram, startProgram } from '../support/child-process.ts';
import { containerEnvironment } from './image-store.ts';

export interface ContainerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Paths in the container of folders and files of this machine. They can be written if the path ends with `:rw`. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** Instead of that of the image. */
  readonly entrypoint?: readonly string[];
}

/**
 * The arguments of podman that run an image as the most restricted Pod would: no capabilities, no file that can be written
 * except mounted ones, and no new privileges. The user is that of the image. It has the network of this machine, so that its
 * loopback listeners can be reached.
 */
export function containerArguments(image: string, args: readonly string[], options: ContainerOptions = {}): string[] {
  const { env = {}, mounts = {}, entrypoint } = options;
  return [
    ...['run', '--rm', '--network=host', '--cap-drop=all', '--security-opt=no-new-privileges'],
    ...['--read-only', '--read-only-tmpfs=false'],
    ...Object.entries(env).map(([name, value]) => `--env=${name}=${value}`),
    ...Object.entries(mounts).map(([path, source]) => `--volume=${source}:${path.includes(':') ? path : `${path}:ro`}`),
    ...(entrypoint ? [`--entrypoint=${JSON.stringify(entrypoint)}`] : []),
    image,
    ...args,
  ];
}

/** Signals reach the first process of the container. */
export function startContainer(image: string, args: readonly string[], options: ContainerOptions = {}): RunningProgram {
  return startProgram('podman', containerArguments(image, args, options), { env: containerEnvironment() });
}

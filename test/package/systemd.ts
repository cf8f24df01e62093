import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { runProgram } from '../support/run-program.ts';
import { shippedFile } from '../support/shipped-text.ts';
import type { InstalledPackage } from './install-package.ts';
import type { UnitHost } from './unit-host.ts';

const script = join(import.meta.dirname, 'boot-systemd.sh');

/** Why systemd cannot be booted here; undefined if it can. */
export function systemdProblem(): string | undefined {
  if (!existsSync('/lib/systemd/systemd')) return 'systemd is not installed';
  if (process.getuid?.() !== 0) return 'only root can boot systemd in namespaces of its own';
  const { status } = spawnSync('unshare', [
    '--mount',
    '--pid',
    '--fork',
    '--cgroup',
    'mount',
    '-t',
    'tmpfs',
    'none',
    '/mnt',
  ]);
  return status === 0 ? undefined : 'this machine does not let root make namespaces and mounts';
}

/** systemd with `countersign@.service`. */
export interface RunningSystemd {
  /** Runs `systemctl`. @throws {Error} with its output, if it fails */
  readonly control: (...args: readonly string[]) => Promise<void>;
  /** What the replicas have written. */
  readonly output: (unit: string) => string;
  readonly stop: () => Promise<void>;
}

/** Boots the real systemd with the shipped unit, as its first lines describe. */
export async function bootSystemd(host: UnitHost, installed: InstalledPackage, node: string): Promise<RunningSystemd> {
  const { root, replace } = host;
  const unit = 'countersign@.service';
  mkdirSync(join(root, 'units'));
  writeFileSync(join(root, 'units', unit), shippedFile(`deploy/systemd/${unit}`, replace));
  const booted = startProgram('sh', [script], { env: { ROOT: root, PACKAGE: installed.folder, NODE: node } });
  const inside = () => ['-t', firstProcess(booted.pid), '--mount', '--pid', '--uts', '--ipc', '--cgroup'];
  const run = async (...args: readonly string[]) => runProgram('nsenter', [...inside(), ...args]);
  await eventually(
    async () => booted.hasExited() || (await run('systemctl', 'list-units').catch(() => undefined))?.code === 0,
    booted.stderr,
  );
  if (booted.hasExited()) throw new Error(`systemd does not boot: ${booted.stderr()}`);
  return {
    control: async (...args) => {
      const { code, stderr } = await run('systemctl', ...args);
      if (code === 0) return;
      const { stdout } = await run('systemctl', 'status', '--no-pager', ...args.slice(1));
      throw new Error(`systemctl ${args.join(' ')}: ${stderr}${stdout}`);
    },
    output: (name) => readFileSync(join(root, 'run', `${name}.log`), 'utf8'),
    stop: async () => void (await booted.stop()),
  };
}

/** The script has one child, `unshare`, whose child is systemd. */
function firstProcess(script: number): string {
  const childOf = (pid: string) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0] ?? '';
  return childOf(childOf(String(script)));
}

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findProgram } from '../support/programs.ts';

/** Lists of cores for taskset. Undefined where nothing can be pinned. */
export interface Cores {
  readonly contender: string | undefined;
  /** Of the load generator, and of what a contender needs besides: Redis, nginx. */
  readonly load: string | undefined;
  /** Every core that this process may use. */
  readonly all: string | undefined;
}

/** @throws {Error} where CPU time cannot be measured */
export function requireCpuTime(): void {
  try {
    readFileSync(`/proc/${process.pid}/task/${process.pid}/schedstat`);
  } catch {
    throw new Error('CPU time cannot be measured here: the benchmark reads /proc/PID/task/TID/schedstat of Linux');
  }
}

/**
 * Chooses two cores, and pins this process, the load generator, to one of them.
 *
 * @param warn called with what is missing and what follows from it
 */
export function claimCores(warn: (problem: string) => void): Cores {
  const taskset = findProgram('taskset');
  if (taskset === undefined) {
    warn('taskset is missing (package util-linux): nothing is pinned, so only ratios of CPU time are meaningful');
    return { contender: undefined, load: undefined, all: undefined };
  }
  const all = allowedCores();
  const [contender, load] = separateCores(expandList(all));
  if (contender === undefined || load === undefined) {
    warn('there is only one core: contenders share it with the load generator, so rates and latencies mean nothing');
    return { contender: all, load: all, all };
  }
  execFileSync(taskset, ['--all-tasks', '--pid', '--cpu-list', `${load}`, `${process.pid}`], { stdio: 'ignore' });
  return { contender: `${contender}`, load: `${load}`, all };
}

/** The command line that runs a program on these cores. */
export function pinned(
  cores: string | undefined,
  command: string,
  args: readonly string[],
): [string, readonly string[]] {
  if (cores === undefined) return [command, args];
  return [findProgram('taskset') ?? 'taskset', ['--cpu-list', cores, command, ...args]];
}

/** Two cores that are not hardware threads of the same one, if there are any. */
function separateCores(allowed: readonly number[]): readonly (number | undefined)[] {
  const [first] = allowed;
  if (first === undefined) return [];
  const siblings = expandList(
    readOr(`/sys/devices/system/cpu/cpu${first}/topology/thread_siblings_list`, String(first)),
  );
  const second = allowed.find((core) => !siblings.includes(core)) ?? allowed[1];
  return [first, second];
}

function allowedCores(): string {
  return /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
}

/** `0-2,5` */
function expandList(list: string): readonly number[] {
  return list
    .trim()
    .split(',')
    .flatMap((range) => {
      const [from = Number.NaN, to = from] = range.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
}

function readOr(file: string, fallback: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
}

import { readdirSync, readFileSync } from 'node:fs';

/**
 * The CPU time of all threads of these processes so far, in microseconds: user and system, with the resolution of the
 * scheduler (`/proc/PID/task/TID/schedstat`, nanoseconds). Threads that have ended are not included.
 */
export function cpuMicroseconds(pids: readonly number[]): number {
  return pids.flatMap(threadsOf).reduce((sum, file) => sum + nanosecondsOf(file), 0) / 1000;
}

function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/schedstat`);
}

/** 0 for a thread that ends between the two reads. */
function nanosecondsOf(file: string, field = 0): number {
  try {
    return Number(readFileSync(file, 'utf8').split(' ')[field]);
  } catch {
    return 0;
  }
}

/** A process and all that it has started, directly or not. */
export function processTree(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').map(Number).flatMap(processTree))];
}

/** The CPU time of the thread that runs JavaScript, in microseconds. */
export function mainThreadMicroseconds(pid: number): number {
  return nanosecondsOf(`/proc/${pid}/task/${pid}/schedstat`) / 1000;
}

/** How long that thread was ready to run and something else ran on its core, in microseconds. */
export function mainThreadWaitMicroseconds(pid: number): number {
  return nanosecondsOf(`/proc/${pid}/task/${pid}/schedstat`, 1) / 1000;
}

import { readFileSync } from 'node:fs';

/** USER_HZ, which is 100 on every Linux architecture in use. */
const TICKS_PER_SECOND = 100;

/** The CPU time of all threads of a process so far, user and system, in seconds (proc(5), /proc/pid/stat). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command name is in parentheses and may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

import { readFileSync } from 'node:fs';

/** Linux counts in these, whatever the machine. */
const TICKS_IN_SECOND = 100;

/** CPU time of a process so far, in user and kernel mode, of all its threads; in seconds (proc(5), /proc/pid/stat). */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program stands in brackets, and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_IN_SECOND;
}

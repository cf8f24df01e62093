import { readFileSync } from 'node:fs';

/** The resident memory of a process, current and peak, in MiB; 0 on systems other than Linux. */
export function residentMemory(pid: number): { readonly current: number; readonly peak: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mebibytes = (name: string) => {
      const [, kibibytes = '0'] = new RegExp(`${name}:\\s+(\\d+)`).exec(status) ?? [];
      return Math.round(Number(kibibytes) / 1024);
    };
    return { current: mebibytes('VmRSS'), peak: mebibytes('VmHWM') };
  } catch {
    return { current: 0, peak: 0 };
  }
}

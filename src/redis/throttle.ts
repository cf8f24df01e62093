const REPORT_AGAIN_AFTER_MILLISECONDS = 60_000;
/** After this long without a problem, each one is reported again at once. */
const RECOVERED_AFTER_MILLISECONDS = 1_000;
/** A problem may contain a key that a request named. */
const MAX_PROBLEMS = 20;

type ReportStatus = (problem: string | undefined) => void;

/**
 * Passes each problem on once a minute, at most 20 different ones, and undefined once the last one passed on is over.
 * ioredis emits an error per failed attempt, and several different ones for the same state; a server may accept each
 * connection and then end it.
 */
export function throttleStatus(report: ReportStatus): ReportStatus {
  const reportedAt = new Map<string, number>();
  let isUpReported = false;
  let upSince = Number.POSITIVE_INFINITY;
  return (problem) => {
    const now = performance.now();
    if (problem === undefined) {
      upSince = Math.min(upSince, now);
      if (!isUpReported) report(undefined);
      isUpReported = true;
      return;
    }
    const isNewOutage = now - upSince >= RECOVERED_AFTER_MILLISECONDS;
    upSince = Number.POSITIVE_INFINITY;
    for (const [message, at] of reportedAt)
      if (isNewOutage || now - at >= REPORT_AGAIN_AFTER_MILLISECONDS) reportedAt.delete(message);
    if (reportedAt.has(problem) || reportedAt.size >= MAX_PROBLEMS) return;
    reportedAt.set(problem, now);
    isUpReported = false;
    report(problem);
  };
}

import { readLimboFile } from './limbo-file.ts';
import { limboReport } from './report.ts';
import { runLimboCase } from './run-limbo-case.ts';

/** `COUNTERSIGN_LIMBO=limbo.json npm run test:limbo`: the suite itself is at https://github.com/C2SP/x509-limbo. */
const file = process.env.COUNTERSIGN_LIMBO;
if (file === undefined || file === '') {
  console.error('skipped: set COUNTERSIGN_LIMBO to the path of limbo.json (https://github.com/C2SP/x509-limbo)');
  process.exitCode = 1;
} else {
  process.stdout.write(limboReport(readLimboFile(file).map(runLimboCase)));
}

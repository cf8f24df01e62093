#!/usr/bin/env node
// The command. This file must load on any Node, so that an old one reports its version instead of a syntax error: it has
// no static imports, and no syntax that the oldest Node with modules lacks.

const REQUIRED_MAJOR = 24;
const { node: found } = process.versions;

if (Number(found.split('.')[0]) < REQUIRED_MAJOR) {
  console.error(`countersign: needs Node.js ${REQUIRED_MAJOR} or later; this is Node.js ${found}`);
  process.exitCode = 1;
} else {
  // By default, SIGHUP and SIGUSR2 end the process, and SIGUSR1 opens the debugger. Until the server handles them, there is
  // nothing to reload: it has not read anything.
  if (process.argv[2] === 'serve') for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2']) process.on(signal, () => {});
  import('./main.ts');
}

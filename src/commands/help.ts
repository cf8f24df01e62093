import type { Command } from 'commander';
import { closestMatch } from '../closest-match.ts';
import { documentationHelp } from './documentation-help.ts';
import { examplesHelp } from './examples.ts';
import { exitCodesHelp } from './exit-codes.ts';

/** Adds to the help of a program and of each of its commands what does not depend on the command. */
export function completeHelp(program: Command): void {
  addHelp(program);
  addEndOfHelp(program, []);
  suggestHelp(program, program.name());
}

/**
 * The help command of commander accepts one name: `help clients apply` would print the help of `clients`. It also
 * prints the help of the parent if there is no command of that name.
 */
function addHelp(parent: Command): void {
  if (parent.commands.length === 0) return;
  for (const child of parent.commands) addHelp(child);
  parent
    .helpCommand(false)
    .command('help')
    .description('display help for command')
    .argument('[command...]')
    .action((names: string[]) => names.reduce(findSubcommand, parent).help());
}

function findSubcommand(parent: Command, name: string): Command {
  const names = parent.commands.flatMap((child) => [child.name(), ...child.aliases()]);
  const suggestion = closestMatch(name, names);
  const hint = suggestion === undefined ? '' : `\n(Did you mean ${suggestion}?)`;
  const found = parent.commands.find((child) => child.name() === name || child.aliases().includes(name));
  return found ?? parent.error(`error: unknown command '${name}'${hint}`);
}

function addEndOfHelp(command: Command, names: readonly string[]): void {
  for (const help of [exitCodesHelp(names), examplesHelp(names)]) {
    if (help !== undefined) command.addHelpText('after', help);
  }
  command.addHelpText('after', () => documentationHelp(names));
  for (const child of command.commands) addEndOfHelp(child, [...names, child.name()]);
}

/** After an invalid command line, each command names its own help. */
function suggestHelp(command: Command, name: string): void {
  command.showHelpAfterError(`(see ${name} --help)`);
  for (const child of command.commands) suggestHelp(child, `${name} ${child.name()}`);
}

import type { Command, Option } from 'commander';

/** A command, as shells complete it. */
export interface CompletableCommand {
  /** The words after `countersign`; empty for `countersign` itself. */
  readonly path: readonly string[];
  /** The commands below it, or the values that its operand accepts. */
  readonly operands: readonly Completion[];
  readonly options: readonly CompletableOption[];
}

export interface CompletableOption extends Completion {
  /** Its one letter, without the hyphen. */
  readonly short?: string | undefined;
  readonly takesValue: boolean;
  /** The values that it accepts; empty for any. */
  readonly choices: readonly string[];
}

/** A word, without hyphens, and what it means. */
interface Completion {
  readonly name: string;
  readonly description: string;
}

/** `countersign` and all commands below it, under each of their names. */
export function completableCommands(command: Command, path: readonly string[] = []): CompletableCommand[] {
  const help = command.createHelp();
  const children = help.visibleCommands(command).flatMap((child) => namesOf(child).map((name) => ({ name, child })));
  const subcommands = children.map(({ name, child }) => ({ name, description: child.description() }));
  const values = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
    argChoices.map((name) => ({ name, description })),
  );
  const options = help.visibleOptions(command).map(completableOption);
  const below = children.flatMap(({ name, child }) => completableCommands(child, [...path, name]));
  return [{ path, operands: [...subcommands, ...values], options }, ...below];
}

const namesOf = (command: Command) => [command.name(), ...command.aliases()];

function completableOption(option: Option): CompletableOption {
  return {
    name: option.long?.slice(2) ?? option.name(),
    short: option.short?.slice(1),
    description: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  };
}

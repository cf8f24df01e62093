import { Argument, type Command } from 'commander';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

const help = `
Load it in each shell that starts:
  bash  eval "$(countersign completion bash)"   in ~/.bashrc
  zsh   eval "$(countersign completion zsh)"    in ~/.zshrc
  fish  countersign completion fish | source    in ~/.config/fish/config.fish`;

/** Adds `countersign completion`, which prints a script for the commands of `program`. */
export function completionProgram(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText('after', help)
    .action(async (shell: Shell) => {
      process.stdout.write(await completionScript(program, shell));
    });
}

async function completionScript(program: Command, shell: Shell): Promise<string> {
  const { completableCommands } = await import('./command-tree.ts');
  const commands = completableCommands(program);
  if (shell === 'fish') return (await import('./fish.ts')).fishScript(commands);
  const { bashScript, zshScript } = await import('./bash.ts');
  return shell === 'bash' ? bashScript(commands) : zshScript(commands);
}

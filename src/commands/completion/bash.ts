import type { CompletableCommand } from './command-tree.ts';

/** The script for bash, and for zsh through its emulation: names and values only, since neither has descriptions. */
export function bashScript(commands: readonly CompletableCommand[]): string {
  return `_countersign() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command \${COMP_WORDS[i]}" in
      ${commands.slice(1).map(patternOf).join('|')})
        command="$command \${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$command $previous" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case "$command" in
${commands.map(wordCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _countersign countersign
`;
}

/** The script for zsh. */
export function zshScript(commands: readonly CompletableCommand[]): string {
  return `autoload -Uz +X compinit bashcompinit
(( $+functions[compdef] )) || compinit
bashcompinit
${bashScript(commands)}`;
}

const patternOf = ({ path }: CompletableCommand) => `'${path.map((name) => ` ${name}`).join('')}'`;

/** What follows an option with a value: one of its values, or a file, which is the default of the shell. */
function valueCases(command: CompletableCommand): string[] {
  return command.options
    .filter(({ takesValue }) => takesValue)
    .map(({ name, short, choices }) => {
      const flags = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
      const patterns = flags.map((flag) => `'${[...command.path.map((part) => ` ${part}`), ` ${flag}`].join('')}'`);
      const values = choices.length === 0 ? '' : ` COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$word"));`;
      return `    ${patterns.join('|')})${values} return ;;`;
    });
}

/** Options after a hyphen; otherwise operands. Without any, the shell completes files. */
function wordCase(command: CompletableCommand): string {
  const options = command.options.map(({ name }) => `--${name}`).join(' ');
  const names = command.operands.map(({ name }) => name).join(' ');
  return `    ${patternOf(command)}) case "$word" in -*) words='${options}' ;; *) words='${names}' ;; esac ;;`;
}

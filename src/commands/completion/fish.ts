import type { CompletableCommand, CompletableOption } from './command-tree.ts';

/** The script for fish, with descriptions. */
export function fishScript(commands: readonly CompletableCommand[]): string {
  const paths = commands.slice(1).map(({ path }) => quote(textOf(path)));
  return `function __countersign_at
    set -l command ''
    for word in (commandline -opc)[2..]
        switch "$command $word"
            case ${paths.join(' ')}
                set command "$command $word"
        end
    end
    test "$command" = "$argv[1]"
end
complete -c countersign -e
${commands.flatMap(linesOf).join('\n')}
`;
}

const textOf = (path: readonly string[]) => path.map((name) => ` ${name}`).join('');
const quote = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;

function linesOf(command: CompletableCommand): string[] {
  const start = `complete -c countersign -n ${quote(`__countersign_at ${quote(textOf(command.path))}`)}`;
  return [
    ...command.operands.map(({ name, description }) => `${start} -f -a ${name} -d ${quote(description)}`),
    ...command.options.map((option) => `${start} ${optionFlags(option)} -d ${quote(option.description)}`),
  ];
}

/** -r: a value, which may be a file; -x: one of these values. */
function optionFlags({ name, short, takesValue, choices }: CompletableOption): string {
  const names = `-l ${name}${short === undefined ? '' : ` -s ${short}`}`;
  if (!takesValue) return names;
  return choices.length === 0 ? `${names} -r` : `${names} -x -a ${quote(choices.join(' '))}`;
}

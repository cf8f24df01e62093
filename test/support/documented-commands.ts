import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentationPages } from './documented-blocks.ts';
import { repositoryRoot } from './repository-root.ts';

/** A command line of Countersign in the documentation, in a block or in a sentence. */
export interface DocumentedCommand {
  /** `docs/keys.md: countersign keys list`. */
  readonly place: string;
  /** The words after `countersign`, up to the first option. May end with operands. */
  readonly words: readonly string[];
  /** With their hyphens, without values. */
  readonly options: readonly string[];
}

/** Pages that describe what was, where commands may have had other names. */
const history = /^CHANGELOG\.md$|^docs\/decisions\//;

/** Every command line of the documentation. */
export function documentedCommands(): readonly DocumentedCommand[] {
  return documentationPages
    .filter((page) => !history.test(page))
    .flatMap((page) => {
      const text = readFileSync(join(repositoryRoot, page), 'utf8');
      const lines = text.matchAll(/(?:^ *|`|\$\(|&& |; |\| )(?:npx )?countersign ([a-z][^`\n|;&>)]*)/gm);
      return [...lines].map(([, line = '']) => parseCommand(page, line.replace(/ +#.*/, '').trim()));
    });
}

function parseCommand(page: string, line: string): DocumentedCommand {
  // The start of a command substitution, brackets around what may be omitted, and quotation marks of the shell.
  const tokens = line
    .replace(/\$\(.*/, '')
    .replaceAll(/[[\]"']/g, '')
    .split(/\s+/);
  const first = tokens.findIndex((token) => token.startsWith('-'));
  return {
    place: `${page}: countersign ${line}`,
    words: first < 0 ? tokens : tokens.slice(0, first),
    options: tokens.filter((token) => /^--?[a-z]/.test(token)).map((token) => token.replace(/=.*/, '')),
  };
}

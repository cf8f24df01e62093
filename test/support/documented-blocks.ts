import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './repository-root.ts';

/** A fenced block of code of the documentation. */
export interface DocumentedBlock {
  /** Its page, from the root of the repository. */
  readonly page: string;
  /** The line of its opening fence, from 1. */
  readonly line: number;
  /** Empty if the fence names none. */
  readonly language: string;
  /** Without the indentation of the list item that it belongs to. */
  readonly text: string;
}

/** The pages that readers of the repository and of the package follow. */
export const documentationPages: readonly string[] = [
  ...readdirSync(repositoryRoot).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(repositoryRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** Every block of a page, in order. */
export function blocksOf(page: string): readonly DocumentedBlock[] {
  const text = readFileSync(join(repositoryRoot, page), 'utf8');
  const fences = text.matchAll(/^( *)```(\w*)[^\n]*\n([\s\S]*?)^\1```$/gm);
  return [...fences].map(({ index, 1: indentation = '', 2: language = '', 3: body = '' }) => ({
    page,
    line: text.slice(0, index).split('\n').length,
    language,
    text: body.replaceAll(new RegExp(`^${indentation}`, 'gm'), ''),
  }));
}

/**
 * The text of the only block of a page that is in this language and contains this text, after replacements.
 * @throws {Error} unless there is exactly one, and each replacement applies: the test would not run what is documented
 */
export function documentedBlock(
  page: string,
  language: string,
  content: string,
  replacements: Readonly<Record<string, string>> = {},
): string {
  const [found, ...others] = blocksOf(page).filter(
    (block) => block.language === language && block.text.includes(content),
  );
  if (!found || others.length > 0)
    throw new Error(`${page}: ${others.length + (found ? 1 : 0)} ${language} blocks contain ${content}`);
  return Object.entries(replacements).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`${page}: ${from} is not in the block with ${content}`);
    return text.replaceAll(from, () => to);
  }, found.text);
}

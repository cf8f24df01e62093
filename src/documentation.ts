import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** No address of the documentation is the same for every installation: it is part of the package. */
const folder = join(import.meta.dirname, '..', 'docs');

/**
 * The URL of a page as it was installed with this version, which terminals open, such as
 * `file:///usr/lib/node_modules/countersign/docs/keys.md`. Where only the program was installed: `docs/keys.md`.
 *
 * @param page the name of a file in `docs/`
 */
export function documentationUrl(page: string): string {
  const path = join(folder, page);
  return existsSync(path) ? pathToFileURL(path).href : `docs/${page}`;
}

/** A text that names pages as `docs/keys.md`, since it is part of the documentation as well, with their URLs. */
export function withDocumentationUrls(text: string): string {
  return text.replaceAll(/\bdocs\/([a-z-]+\.md)\b/g, (_, page: string) => documentationUrl(page));
}

import type { HeaderFormat } from './header-format.ts';
import { headerFormats } from './header-formats.ts';

const formats = Object.values<HeaderFormat>(headerFormats);

/** The field names of all formats that carry a leaf certificate, in lower case. */
export const certificateHeaders: ReadonlySet<string> = new Set(
  formats.map(({ certificateHeader }) => certificateHeader),
);

/** The field names of all formats, also of chains and verdicts. */
export const knownHeaders: ReadonlySet<string> = new Set([
  ...certificateHeaders,
  ...formats.flatMap(({ chain, verdict }) => [
    ...(chain ? [chain.header] : []),
    ...verdict.map(({ header }) => header),
  ]),
]);

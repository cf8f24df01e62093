import { nginx } from './formats/nginx.ts';
import { rfc9440 } from './formats/rfc9440.ts';
import type { HeaderFormat } from './header-format.ts';

/** Every format that `COUNTERSIGN_TERMINATOR` may name. */
export const headerFormats = { nginx, rfc9440 } as const satisfies Record<string, HeaderFormat>;

export type HeaderFormatName = keyof typeof headerFormats;

/** Safe: the table above is closed, so its keys are the names. */
export const headerFormatNames = Object.keys(headerFormats) as HeaderFormatName[];

/** What stands in a certificate's field when there was none, in any format. No certificate looks like one of these. */
export const absentSpellings: ReadonlySet<string> = new Set(
  Object.values<HeaderFormat>(headerFormats).flatMap(({ absent }) => absent),
);

import type { HeaderFormat } from './header-format.ts';
import { nginx } from './nginx.ts';
import { rfc9440 } from './rfc9440.ts';

/** Every format that `COUNTERSIGN_TERMINATOR` may name. */
export const headerFormats = { nginx, rfc9440 } as const satisfies Record<string, HeaderFormat>;

export type HeaderFormatName = keyof typeof headerFormats;

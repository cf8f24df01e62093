import { nginx } from './formats/nginx.ts';
import { rfc9440 } from './formats/rfc9440.ts';
import type { HeaderFormat } from './header-format.ts';

/** Every format that `COUNTERSIGN_TERMINATOR` may name. */
export const headerFormats = { nginx, rfc9440 } as const satisfies Record<string, HeaderFormat>;

export type HeaderFormatName = keyof typeof headerFormats;

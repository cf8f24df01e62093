/** A header field: name and value. */
export type Field = readonly [name: string, value: string];

/** One way to send a forged certificate, as it is written in each protocol. */
export interface Forgery {
  /** Stable, machine-readable. */
  readonly name: string;
  /** Completes "a forged certificate …". */
  readonly title: string;
  /**
   * - `none`: no forgery, for the baseline
   * - `variant`: in the fields that the server reads
   * - `other_format`: in the fields of another terminator, which the server never reads
   */
  readonly family: 'none' | 'variant' | 'other_format';
  /** Lines before `Host` and after all other fields, written byte for byte. Undefined if HTTP/1.1 cannot express it. */
  readonly http1: { readonly first: readonly string[]; readonly last: readonly string[] } | undefined;
  /** Undefined if HTTP/2 cannot express it. */
  readonly http2: readonly Field[] | undefined;
  /** Whether the fields are sent after the body instead, and whether `Trailer` announces them. */
  readonly trailer: 'announced' | 'unannounced' | undefined;
}

export const nothingForged: Forgery = {
  name: 'nothing',
  title: 'nothing forged',
  family: 'none',
  http1: { first: [], last: [] },
  http2: [],
  trailer: undefined,
};

/** A forgery that both protocols can express. */
export function fields(name: string, title: string, forged: readonly Field[]): Forgery {
  return { ...lines(name, title, forged.map(lineOf)), http2: forged };
}

/** A forgery that only HTTP/1.1 can express, as lines. */
export function lines(name: string, title: string, last: readonly string[], first: readonly string[] = []): Forgery {
  return { name, title, family: 'variant', http1: { first, last }, http2: undefined, trailer: undefined };
}

export function lineOf([name, value]: Field): string {
  return `${name}: ${value}`;
}

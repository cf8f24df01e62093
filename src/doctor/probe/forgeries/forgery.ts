/** A field line: name and value. */
export type Field = readonly [name: string, value: string];

/** One way to pass a certificate off as one's own, as it is written over either protocol. */
export interface Forgery {
  /** Stable, for programs. */
  readonly name: string;
  /** For people: "a forged certificate …". */
  readonly title: string;
  /** `none` is a request without any: what the others are compared with. */
  readonly family: 'none' | 'spelling' | 'other_format';
  /** Over HTTP/1.1: lines before `Host`, and after all others, to the octet. Undefined where it has no words for it. */
  readonly http1: { readonly first: readonly string[]; readonly last: readonly string[] } | undefined;
  readonly http2: readonly Field[] | undefined;
  /** The fields come behind the body instead. */
  readonly trailer: 'announced' | 'unannounced' | undefined;
}

/** A request with nothing forged. */
export const nothingForged: Forgery = {
  name: 'nothing',
  title: 'nothing forged',
  family: 'none',
  http1: { first: [], last: [] },
  http2: [],
  trailer: undefined,
};

/** A forgery that both protocols can say. */
export function fields(name: string, title: string, forged: readonly Field[]): Forgery {
  return { ...lines(name, title, forged.map(lineOf)), http2: forged };
}

/** A forgery that only HTTP/1.1 can say, line by line. */
export function lines(name: string, title: string, last: readonly string[], first: readonly string[] = []): Forgery {
  return { name, title, family: 'spelling', http1: { first, last }, http2: undefined, trailer: undefined };
}

export function lineOf([name, value]: Field): string {
  return `${name}: ${value}`;
}

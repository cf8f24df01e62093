/**
 * The header fields of one request. The lines of a repeated field stay separate. Names are case-insensitive (RFC 9110
 * §5.1): every method takes and returns them in lower case.
 */
export class HeaderFields {
  readonly #rawHeaders: readonly string[];
  readonly #values = new Map<string, string[]>();

  /** @param rawHeaders names and values alternate, as in Node's `rawHeaders` */
  constructor(rawHeaders: readonly string[]) {
    this.#rawHeaders = rawHeaders;
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]?.toLowerCase() ?? '';
      const value = rawHeaders[i + 1] ?? '';
      const values = this.#values.get(name);
      if (values) values.push(value);
      else this.#values.set(name, [value]);
    }
  }

  /** The value of each line of a field, in order. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? none;
  }

  /** The lines of a field combined into one value (RFC 9110 §5.3); undefined if there is none. */
  combined(name: string): string | undefined {
    const values = this.#values.get(name);
    return values?.length === 1 ? values[0] : values?.join(', ');
  }

  /** Each name once. */
  names(): Iterable<string> {
    return this.#values.keys();
  }

  /** Each line as received, in order, with its name in the original case. */
  *lines(): Generator<readonly [name: string, value: string]> {
    const lines = this.#rawHeaders;
    for (let i = 0; i + 1 < lines.length; i += 2) yield [lines[i] ?? '', lines[i + 1] ?? ''];
  }
}

const none: readonly string[] = [];

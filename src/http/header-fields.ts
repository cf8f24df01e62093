/**
 * The header fields of one request. The lines of a repeated field stay separate. Names are case-insensitive (RFC 9110
 * §5.1): every method takes them in lower case.
 */
export class HeaderFields {
  readonly #rawHeaders: readonly string[];
  /** In lower case, in the order of the lines. A list: for the few fields of a request, a Map costs three times as much. */
  readonly #names: string[] = [];
  /** Bit n: a name has n characters, or n and a multiple of 32. Most fields that are looked up are absent. */
  #lengths = 0;

  /** @param rawHeaders names and values alternate, as in Node's `rawHeaders` */
  constructor(rawHeaders: readonly string[]) {
    this.#rawHeaders = rawHeaders;
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]?.toLowerCase() ?? '';
      this.#names.push(name);
      this.#lengths |= 1 << name.length;
    }
  }

  /** The value of each line of a field, in order. */
  all(name: string): readonly string[] {
    if ((this.#lengths & (1 << name.length)) === 0) return none;
    const names = this.#names;
    let values: string[] | undefined;
    for (let line = names.indexOf(name); line >= 0; line = names.indexOf(name, line + 1)) {
      const value = this.#rawHeaders[2 * line + 1] ?? '';
      if (values) values.push(value);
      else values = [value];
    }
    return values ?? none;
  }

  /** The lines of a field combined into one value (RFC 9110 §5.3); undefined if there is none. */
  combined(name: string): string | undefined {
    const values = this.all(name);
    return values.length > 1 ? values.join(', ') : values[0];
  }

  /** Each line as received, in order, with its name in the original case. */
  *lines(): Generator<readonly [name: string, value: string]> {
    const raw = this.#rawHeaders;
    for (let i = 0; i + 1 < raw.length; i += 2) yield [raw[i] ?? '', raw[i + 1] ?? ''];
  }
}

const none: readonly string[] = [];

/**
 * Parses JSON and refuses a name that stands twice in one object: of two, JSON.parse would take the last.
 *
 * @throws {SyntaxError}
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  // What programs write, mostly, comes out again as it went in: then nothing was lost.
  if (JSON.stringify(value) === text || countMembers(value) === countColons(text)) return value;
  throw new SyntaxError('a name stands twice in one object');
}

/** Outside of strings, every colon belongs to one member. */
function countColons(text: string): number {
  let count = 0;
  let isString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) isString = !isString;
    else if (code === BACKSLASH) index += 1;
    else if (code === COLON && !isString) count += 1;
  }
  return count;
}

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];

/** Without recursion: what was parsed may be nested more deeply than a stack. */
function countMembers(root: unknown): number {
  let count = 0;
  const open = typeof root === 'object' ? [root] : [];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const isList = Array.isArray(value);
    // `null` alone has no members and is an object, too.
    for (const member of Object.values(value ?? {})) {
      if (!isList) count += 1;
      if (typeof member === 'object' && member !== null) open.push(member);
    }
  }
  return count;
}

/** An object of a realm export. Only member names of Keycloak are read, and none of them is on a prototype. */
export type Members = Readonly<Record<string, unknown>>;

/** The members of an object; empty for any other value. */
export function membersOf(value: unknown): Members {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Members) : {}; // An object from JSON has string keys only.
}

/** The items of a list; empty for any other value. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The strings of a list. */
export function textsOf(value: unknown): string[] {
  return listOf(value).filter((item) => typeof item === 'string');
}

/** A scalar as text, since exports contain numbers and Booleans in both forms. Undefined if it is blank or not a scalar. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

/** Whether the value is `true` or, in any case, the string "true". */
export function isTrue(value: unknown): boolean {
  return textOf(value)?.toLowerCase() === 'true';
}

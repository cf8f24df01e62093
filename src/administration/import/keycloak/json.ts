/** An object of a realm export. Every name that we read is one of Keycloak's, so none is found on a prototype. */
export type Members = Readonly<Record<string, unknown>>;

/** The value, if it is an object; else one without members. */
export function membersOf(value: unknown): Members {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Members) : {};
}

/** The items, if it is a list; else none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The texts of a list. */
export function textsOf(value: unknown): string[] {
  return listOf(value).filter((item) => typeof item === 'string');
}

/** A text that says something; numbers and booleans count, since exports write both ways. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

/** `true`, or the text in any case. */
export function isTrue(value: unknown): boolean {
  return textOf(value)?.toLowerCase() === 'true';
}

/** RFC 1035 §2.3.4, without the length octets of the first label and of the root. */
const MAX_HOST_NAME_LENGTH = 253;

/** Labels with dots between, in lower case. What has escapes, or a dot too many, could be read as another name. */
export function isHostName(text: string): boolean {
  if (text.length > MAX_HOST_NAME_LENGTH) return false;
  return /^[a-z0-9_-]/.test(text) && !/[^a-z0-9_.-]|\.\.|\.$/.test(text);
}

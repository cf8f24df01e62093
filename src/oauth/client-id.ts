/**
 * Whether `text` is a `client-id` (RFC 6749 appendix A.1: `*VSCHAR`) of 1 to 255 characters. Only such text becomes part
 * of a Redis key or an audit event.
 */
export function isClientId(text: string): boolean {
  return /^[\x20-\x7e]{1,255}$/.test(text);
}

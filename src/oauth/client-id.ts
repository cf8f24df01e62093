/**
 * `client-id` of RFC 6749 appendix A.1 (`*VSCHAR`), and never empty or longer than 255.
 * What passes may become part of a Redis key and of an audit event.
 */
export function isClientId(text: string): boolean {
  return /^[\x20-\x7e]{1,255}$/.test(text);
}

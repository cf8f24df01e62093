import { type KeyObject, sign } from 'node:crypto';

/** A JWS in compact serialization with any header and payload, each text or an object (RFC 7515 §7.1). */
export function signJws(header: object | string, payload: object | string, key: KeyObject): string {
  const input = `${segment(header)}.${segment(payload)}`;
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return `${input}.${sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** The text of an object is its JSON. */
export function segment(content: object | string): string {
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString('base64url');
}

import { FileContentError } from '../file-content-error.ts';

/** A password in the two encodings that PKCS #12 has for it. */
export interface Password {
  /** For PKCS #5 (RFC 8018 §3). */
  readonly utf8: Uint8Array;
  /** BMPString with a final NUL character (RFC 7292 appendix B.1). */
  readonly bmp: Uint8Array;
}

/** The encodings to try, in order. Programs encode the empty password as a NUL character or as nothing. */
export function encodingsOf(password: string): readonly [Password, ...Password[]] {
  const utf8 = Buffer.from(password);
  const terminated = { utf8, bmp: Buffer.from(`${password}\0`, 'utf16le').swap16() };
  return password === '' ? [terminated, { utf8, bmp: Buffer.alloc(0) }] : [terminated];
}

/** A file cannot be decrypted with the given password, or needs one. */
export class PasswordError extends FileContentError {}

export function passwordError(password: string): PasswordError {
  return new PasswordError(
    password === ''
      ? 'is protected by a password: pass --password-file FILE, or --password PASSWORD'
      : 'is protected by another password, or damaged: check the value of --password or --password-file',
  );
}

import { z } from 'zod';
import { begin, describedAs, end, text } from '../record-fields.ts';

const registeredCertificate = z
  .strictObject({
    thumbprint: text().optional().meta(describedAs('SHA-256 of the DER: hex in any usual notation, or base64url')),
    pem: text().optional().meta(describedAs('the certificate itself, PEM')),
    public_key_thumbprint: text()
      .optional()
      .meta(describedAs('SHA-256 of the SubjectPublicKeyInfo, base64url or hex: any certificate with this key')),
    not_before: begin.optional().meta(describedAs('the first day (UTC) or instant on which it is effective')),
    not_after: end.optional().meta(describedAs('the last day (UTC) or instant on which it is effective')),
    note: z.string().optional().meta(describedAs('what audit events call this entry')),
  })
  .refine(
    ({ thumbprint, pem, public_key_thumbprint }) =>
      [thumbprint, pem, public_key_thumbprint].filter(Boolean).length === 1,
    { error: 'expected exactly one of thumbprint, pem and public_key_thumbprint' },
  )
  .refine(({ not_before: from = -Infinity, not_after: to = Infinity }) => from <= to, {
    path: ['not_before'],
    error: 'is after not_after, so the registration would never be effective; swap or correct the two',
  })
  .meta({ oneOf: [{ required: ['thumbprint'] }, { required: ['pem'] }, { required: ['public_key_thumbprint'] }] });

/** RFC 7517 §4. Only the certificate (`x5c`) or its thumbprint (`x5t#S256`) of a key is read; other members may be present. */
const jsonWebKey = z
  .looseObject({
    x5c: z
      .array(text())
      .min(1, 'must not be empty')
      .optional()
      .meta(describedAs('the certificate first, base64 of the DER; the others never identify a client')),
    'x5t#S256': text().optional().meta(describedAs('SHA-256 of the certificate, base64url')),
  })
  .meta({ anyOf: [{ required: ['x5c'] }, { required: ['x5t#S256'] }] });

export type JsonWebKey = z.output<typeof jsonWebKey>;

/** The record fields in which a client of `self_signed_tls_client_auth` registers its certificates. */
export const certificateFields = {
  jwks: z
    .strictObject({
      keys: z
        .array(jsonWebKey)
        .min(1, 'must not be empty')
        .meta(describedAs('one certificate each, by x5c or x5t#S256')),
    })
    .optional()
    .meta(describedAs('self_signed_tls_client_auth: registered certificates as a JWK Set')),
  certificates: z
    .array(registeredCertificate)
    .min(1, 'must not be empty')
    .optional()
    .meta(describedAs('self_signed_tls_client_auth: registered certificates, each by thumbprint, PEM or key')),
};

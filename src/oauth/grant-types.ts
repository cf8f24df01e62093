/** The grant types that a client may register and use (RFC 6749 §4). `grants/grants.ts` has one entry for each. */
export const grantTypes = ['client_credentials'] as const;

export type GrantType = (typeof grantTypes)[number];

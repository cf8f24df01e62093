import type { RegistrationPolicy } from '../../src/clients/registration-policy.ts';

/** What the server takes where nothing is set. */
export const usualPolicy: RegistrationPolicy = { allowSha1Thumbprints: false, requireCaPin: false, anchors: [] };

export const withSha1: RegistrationPolicy = { ...usualPolicy, allowSha1Thumbprints: true };

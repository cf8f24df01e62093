import type { RegistrationPolicy } from '../../src/clients/registration-policy.ts';

/** The policy of a server with default settings. */
export const usualPolicy: RegistrationPolicy = { allowSha1Thumbprints: false, requireCaPin: false, anchors: [] };

export const withSha1: RegistrationPolicy = { ...usualPolicy, allowSha1Thumbprints: true };

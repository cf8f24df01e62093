import type { RegistrationPolicy } from '../../src/clients/registration-policy.ts';

/** The policy of a server with default settings. */
export const defaultPolicy: RegistrationPolicy = {
  allowSha1Thumbprints: false,
  requireCaPin: false,
  uniqueCertificates: false,
  allowUnboundEdgeTokens: false,
  anchors: [],
  intermediates: [],
};

export const withSha1: RegistrationPolicy = { ...defaultPolicy, allowSha1Thumbprints: true };

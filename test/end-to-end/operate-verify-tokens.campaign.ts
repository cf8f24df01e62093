import { afterAll, beforeAll, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { expectBindingIsChecked, startTokenIssuer, type TokenIssuer } from '../support/documented-api.ts';

describeWith(
  ['curl'],
  'an API of docs/verify-tokens.md accepts only its own tokens with the certificate of the client',
  () => {
    let issuer: TokenIssuer;
    beforeAll(async () => {
      issuer = await startTokenIssuer();
    });
    afterAll(() => issuer.stop());

    test.each(['hono.js', 'express.js'])('%s', async (file) => {
      await expectBindingIsChecked(issuer, {
        files: ['verify-token.js', file],
        prepare: async () => [process.execPath, file],
      });
    });
  },
);

import { describe, expect, test } from 'vitest';
import { HeaderFields } from '../../src/http/header-fields.ts';
import { clientAuthorization } from '../../src/oauth/client-authorization.ts';

const read = (...lines: string[]) =>
  clientAuthorization(new HeaderFields(lines.flatMap((line) => ['Authorization', line])).combined('authorization'));

describe('the Authorization header counts as absent if it is', () => {
  test.each([
    ['a token', 'Bearer eyJ.a.b-_~+/=='],
    ['a token in another case', 'bEARER a'],
    ['a token after two spaces', 'Bearer  a'],
    ['no token', 'Bearer'],
  ])('%s', (_, line) => {
    expect(read(line)).toBeUndefined();
  });
});

describe('the Authorization header may authenticate a client if it is', () => {
  test.each([
    ['Basic', ['Basic YTo=']],
    ['another scheme', ['Digest a']],
    ['a scheme that starts like Bearer', ['Bearers a']],
    ['a token without a space', ['Bearer,a']],
    ['empty', ['']],
    ['two tokens', ['Bearer a', 'Bearer b']],
    ['a token before Basic', ['Bearer a', 'Basic YTo=']],
    ['a token after Basic', ['Basic YTo=', 'Bearer a']],
    ['a token and an empty line', ['Bearer a', '']],
    ['two lines without a token', ['Bearer', 'Bearer']],
    ['a token and Basic in one line', ['Bearer a, Basic YTo=']],
    ['a token and Basic without a comma', ['Bearer a Basic YTo=']],
    ['a token with a tab', ['Bearer a\tb']],
    ['parameters', ['Bearer realm="a", error="b"']],
  ])('%s', (_, lines) => {
    expect(read(...lines)).toBe(lines.join(', '));
  });
});

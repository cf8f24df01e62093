import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { approvalHeaders, type Identity } from '../../src/edge/approval.ts';

const identity: Identity = {
  clientId: 'billing',
  subject: 'spiffe://prod.example/ns/a/sa/billing',
  scope: ['read', 'write'],
  audience: ['https://api.example', 'https://other.example'],
  expiresAt: 1_800_000_000,
  token: 'a.b.c',
};

/** The fields of an approval by name. */
function fieldsOf(changes: Partial<Identity> = {}): Record<string, string | undefined> {
  const list = approvalHeaders({ ...identity, ...changes });
  const names = list.filter((_, index) => index % 2 === 0);
  return Object.fromEntries(names.map((name, index) => [name, list[2 * index + 1]]));
}

describe('the header of an approval', () => {
  test('has one field for each fact', () => {
    expect(fieldsOf()).toEqual({
      Authorization: 'Bearer a.b.c',
      'X-Countersign-Client-Id': 'billing',
      'X-Countersign-Subject': 'spiffe://prod.example/ns/a/sa/billing',
      'X-Countersign-Scope': 'read write',
      'X-Countersign-Audience': 'https://api.example https://other.example',
      'X-Countersign-Expires': '1800000000',
      'Content-Length': '0',
    });
  });

  test('lists the fields without a value for Envoy to remove', () => {
    const fields = fieldsOf({ token: undefined, scope: [] });
    expect(fields).not.toHaveProperty('Authorization');
    expect(fields).not.toHaveProperty('X-Countersign-Scope');
    expect(fields['X-Envoy-Auth-Headers-To-Remove']).toBe('authorization,x-countersign-scope');
  });

  test('contains the token once', () => {
    expect(approvalHeaders(identity).join('\n').split('a.b.c')).toHaveLength(2);
  });

  test.each([
    ['inner spaces', 'a  b', 'a  b'],
    ['an outer space', ' a ', '%20a%20'],
    ['only a space', ' ', '%20'],
    ['only spaces', '   ', '%20 %20'],
    ['a percent sign', '50%20', '50%2520'],
    ['a comma', 'a,b', 'a,b'],
    ['a line feed', 'a\r\nX-Admin: 1', 'a%0D%0AX-Admin: 1'],
    ['a NUL', '\0', '%00'],
    ['a letter beyond ASCII', 'ä€😀', '%C3%A4%E2%82%AC%F0%9F%98%80'],
  ])('encodes %s', (_, clientId, value) => {
    expect(fieldsOf({ clientId, subject: clientId })).toMatchObject({
      'X-Countersign-Client-Id': value,
      'X-Countersign-Subject': value,
    });
  });

  test('encodes a space in an audience, which separates two', () => {
    expect(fieldsOf({ audience: ['a b', 'https://x/%7E'] })['X-Countersign-Audience']).toBe('a%20b https://x/%7E');
  });

  test('never has an empty value, nor one that a recipient would trim or reject', () => {
    const characters = [...'\0\t\r\n %,;"\\az~\x7f\x80ÿä€😀', '\ud800'];
    const text = fc.string({ unit: fc.constantFrom(...characters), minLength: 1 });
    fc.assert(
      fc.property(text, text, fc.array(text), (clientId, subject, audience) => {
        const list = approvalHeaders({ ...identity, clientId, subject, audience });
        return list.every((part) => /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(part));
      }),
    );
  });

  test('has different values for different clients', () => {
    const text = fc.string({ unit: fc.constantFrom('%', '2', '0', ' ', 'a'), minLength: 1, maxLength: 6 });
    const valueFor = (clientId: string) => fieldsOf({ clientId })['X-Countersign-Client-Id'];
    fc.assert(fc.property(text, text, (one, other) => (valueFor(one) === valueFor(other)) === (one === other)));
  });
});

import { expect, test } from 'vitest';
import { OwnerIndex } from '../../src/administration/identity-index.ts';

const digest = 'a'.repeat(43);

test('one who owns two keys of one digest shares nothing with himself', () => {
  const table = new OwnerIndex();
  for (const owner of [1, 2, 3]) {
    table.add(`thumbprint:${digest}`, owner);
    table.add(`public_key:${digest}`, owner);
  }
  expect([...table.sharedOwners()]).toEqual([[1, 2, 3]]);
  expect(table.ownersOf(`thumbprint:${digest}`)).toEqual([1, 2, 3]);
});

test('keys that two tables have are told with the owners of both', () => {
  const [held, registered] = [new OwnerIndex(), new OwnerIndex()];
  held.add(`dn:${digest}`, 1);
  held.add(`dn:${digest}`, 2);
  held.add(`dn:${'b'.repeat(43)}`, 2);
  registered.add(`dn:${digest}`, 3);
  expect([...held.intersect(registered)]).toEqual([[[1, 2], [3]]]);
});

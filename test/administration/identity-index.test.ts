import { expect, test } from 'vitest';
import { OwnerIndex } from '../../src/administration/identity-index.ts';

const digest = 'a'.repeat(43);

test('an owner of two keys with the same digest does not share them with itself', () => {
  const index = new OwnerIndex();
  for (const owner of [1, 2, 3]) {
    index.add(`thumbprint:${digest}`, owner);
    index.add(`public_key:${digest}`, owner);
  }
  expect([...index.sharedOwners()]).toEqual([[1, 2, 3]]);
  expect(index.ownersOf(`thumbprint:${digest}`)).toEqual([1, 2, 3]);
});

test('keys that two indexes have in common are returned with the owners in each', () => {
  const [ofCertificates, registered] = [new OwnerIndex(), new OwnerIndex()];
  ofCertificates.add(`dn:${digest}`, 1);
  ofCertificates.add(`dn:${digest}`, 2);
  ofCertificates.add(`dn:${'b'.repeat(43)}`, 2);
  registered.add(`dn:${digest}`, 3);
  expect([...ofCertificates.intersect(registered)]).toEqual([[[1, 2], [3]]]);
});

import { expect, test } from 'vitest';
import { OwnerIndex } from '../../../src/clients/sharing/identity-index.ts';

const digest = 'a'.repeat(43);

test('an owner of two keys with the same digest does not share them with itself', () => {
  const index = new OwnerIndex();
  for (const owner of [1, 2, 3]) {
    index.add(`thumbprint:${digest}`, owner);
    index.add(`public_key:${digest}`, owner);
  }
  expect(groups(index)).toEqual([[1, 2, 3]]);
});

test('keys that two indexes have in common are returned with the owners in both', () => {
  const [ofCertificates, registered] = [new OwnerIndex(), new OwnerIndex()];
  ofCertificates.add(`dn:${digest}`, 1);
  ofCertificates.add(`dn:${digest}`, 2);
  ofCertificates.add(`dn:${'b'.repeat(43)}`, 2);
  registered.add(`dn:${digest}`, 3);
  expect(groups(registered, ofCertificates)).toEqual([[1, 2, 3]]);
});

function groups(index: OwnerIndex, others = new OwnerIndex()) {
  return [...index.groupsWith(others)].map(({ owners }) => owners);
}

import { expect, test } from 'vitest';
import { Suspicion } from '../../src/redis/drop-when-silent.ts';

test('connections are probed once, and at once, when a suspicion is raised', () => {
  const suspicion = new Suspicion();
  let hastened = 0;
  const connection = { hasten: () => hastened++, endIfUnanswered: () => {} };
  suspicion.watch(connection);
  const [source, other] = [{}, {}];
  for (const each of [source, source, other]) suspicion.set(each, true);
  expect(hastened).toBe(1);
  for (const each of [source, other]) suspicion.set(each, false);
  suspicion.set(source, true);
  expect(hastened).toBe(2);
  suspicion.unwatch(connection);
  suspicion.set(source, false);
  suspicion.set(source, true);
  expect(hastened).toBe(2);
});

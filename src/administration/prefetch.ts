import { setImmediate } from 'node:timers/promises';

/** Asks something about each item, and takes up the next one while the answer to the last is on its way. */
export async function* prefetch<Item, Answer>(
  items: AsyncIterable<Item>,
  ask: (item: Item) => Promise<Answer>,
): AsyncGenerator<Answer> {
  let pending: Promise<Answer> | undefined;
  for await (const item of items) {
    const asked = ask(item);
    // It may fail while the one before it is waited for.
    asked.catch(() => {});
    // What is asked is sent once the event loop has its turn.
    await setImmediate();
    if (pending) yield await pending;
    pending = asked;
  }
  if (pending) yield await pending;
}

import { setImmediate } from 'node:timers/promises';

/** Loads something for each item, and reads the next item while the load for the last one is in flight. */
export async function* prefetch<Item, Result>(
  items: AsyncIterable<Item>,
  load: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  let pending: Promise<Result> | undefined;
  for await (const item of items) {
    const loading = load(item);
    // It may fail while the one before it is awaited.
    loading.catch(() => {});
    // Commands are sent when the event loop runs.
    await setImmediate();
    if (pending) yield await pending;
    pending = loading;
  }
  if (pending) yield await pending;
}

interface Stoppable {
  readonly stop: () => Promise<unknown>;
}

/** Starts all concurrently. If one fails, stops the others before it throws. */
export async function startAll<T extends Stoppable>(starting: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(starting);
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failure = results.find((result) => result.status === 'rejected');
  if (!failure) return started;
  await stopAll(started);
  throw failure.reason;
}

export async function stopAll(started: readonly Stoppable[]): Promise<void> {
  await Promise.all(started.map(({ stop }) => stop()));
}

/** Runs a task; if it throws, stops everything before it rethrows. */
export async function orStopAll<T>(started: readonly Stoppable[], task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

import { type GuardedRedis, isWrongType } from '../../redis/guarded-redis.ts';

/**
 * Distinguishes a removed client from the loss of all records, by FLUSHALL or by a Redis that restarted empty.
 *
 * `countersign clients` writes a marker next to the records. If the marker was there and is gone, a missing record is
 * lost, not removed.
 */
export interface DataLossDetector {
  /**
   * Queries Redis for the marker. Call it after a record was found missing, not before.
   *
   * @throws {RedisUnavailableError}
   */
  hasLostData(): Promise<boolean>;
}

/** @param onChange called when the data is lost, and when it is restored */
export function createDataLossDetector(
  { execute }: GuardedRedis,
  marker: string,
  onChange: (isLost: boolean) => void,
): DataLossDetector {
  let wasPresent = false;
  let isLost = false;
  return {
    hasLostData: async () => {
      const isPresent = await exists(execute, marker);
      wasPresent ||= isPresent;
      const wasLost = isLost;
      isLost = wasPresent && !isPresent;
      if (isLost !== wasLost) onChange(isLost);
      return isLost;
    },
  };
}

async function exists(execute: GuardedRedis['execute'], marker: string): Promise<boolean> {
  try {
    return (await execute((redis) => redis.get(marker))) !== null;
  } catch (error) {
    if (isWrongType(error)) return true;
    throw error;
  }
}

import { type GuardedRedis, isWrongType } from '../../redis/guarded-redis.ts';

/**
 * Tells a client that was removed from records that are all gone: by a FLUSHALL, or with a Redis that has come back
 * empty. Where our commands have written records a marker stands beside them; without it nothing that is missing is
 * believed to have been removed.
 */
export interface DataLossDetector {
  /** Whether the records are gone. It asks Redis; a key that was missing must have been asked for before. */
  hasLostData(): Promise<boolean>;
}

/** @param onLost told of each change */
export function createDataLossDetector(
  { execute }: GuardedRedis,
  marker: string,
  onLost: (areLost: boolean) => void,
): DataLossDetector {
  let wasThere = false;
  let areLost = false;
  return {
    hasLostData: async () => {
      const isThere = await stands(execute, marker);
      wasThere ||= isThere;
      const wereLost = areLost;
      areLost = wasThere && !isThere;
      if (areLost !== wereLost) onLost(areLost);
      return areLost;
    },
  };
}

async function stands(ask: GuardedRedis['execute'], marker: string): Promise<boolean> {
  try {
    return (await ask((redis) => redis.get(marker))) !== null;
  } catch (error) {
    if (isWrongType(error)) return true;
    throw error;
  }
}

import type { Cluster, Redis } from 'ioredis';
import { defineScript } from './script.ts';

/** A key that one holder has at a time, until its time is over. Its value is the holder's own, which nobody else writes. */
export interface Lease {
  /** @returns what stands there where somebody else has it; empty where that is no string */
  acquire(own: string): Promise<string | undefined>;
  /** @returns whether it still was the holder's, who has it for the whole time again */
  renew(own: string): Promise<boolean>;
  /** Leaves it alone where it is another's by now. */
  release(own: string): Promise<void>;
}

const acquireScript = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
if redis.call('TYPE', KEYS[1]).ok ~= 'string' then return '' end
return redis.call('GET', KEYS[1])`;

const ifOwned = (what: string) => `
if redis.call('TYPE', KEYS[1]).ok ~= 'string' or redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
${what}
return 1`;

/** Not PEXPIRE: whoever may take it may then renew it. */
const renewScript = ifOwned(`redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])`);

const releaseScript = ifOwned(`redis.call('DEL', KEYS[1])`);

/** @param milliseconds after which it is nobody's, unless it is renewed */
export function openLease(redis: Redis | Cluster, key: string, milliseconds: number): Lease {
  const [runTake, runRenew, runRelease] = [
    defineScript(redis, acquireScript),
    defineScript(redis, renewScript),
    defineScript(redis, releaseScript),
  ];
  const time = String(milliseconds);
  return {
    acquire: async (own) => {
      const found = await runTake([key], [own, time]);
      return found === null ? undefined : String(found);
    },
    renew: async (own) => (await runRenew([key], [own, time])) === 1,
    release: async (own) => void (await runRelease([key], [own])),
  };
}

import type { Cluster, Redis } from 'ioredis';
import { defineScript } from './script.ts';

/** A lock that expires: a key that one holder owns until it releases it or the lease ends. The value identifies the owner. */
export interface Lease {
  /** @returns undefined once acquired, otherwise the present value of the key; empty when that is not a string */
  acquire(owner: string): Promise<string | undefined>;
  /** Restarts the lease. @returns whether the owner still held it */
  renew(owner: string): Promise<boolean>;
  /** Does nothing if another owner holds it by now. */
  release(owner: string): Promise<void>;
}

/** @param milliseconds after which the lease ends unless it is renewed */
export function openLease(redis: Redis | Cluster, key: string, milliseconds: number): Lease {
  const [acquire, renew, release] = [
    defineScript(redis, acquireScript),
    defineScript(redis, renewScript),
    defineScript(redis, releaseScript),
  ];
  const lifetime = String(milliseconds);
  return {
    acquire: async (owner) => {
      const held = await acquire([key], [owner, lifetime]);
      return held === null ? undefined : String(held);
    },
    renew: async (owner) => (await renew([key], [owner, lifetime])) === 1,
    release: async (owner) => void (await release([key], [owner])),
  };
}

const acquireScript = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
if redis.call('TYPE', KEYS[1]).ok ~= 'string' then return '' end
return redis.call('GET', KEYS[1])`;

const ifOwned = (commands: string) => `
if redis.call('TYPE', KEYS[1]).ok ~= 'string' or redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
${commands}
return 1`;

/** SET rather than PEXPIRE: an ACL that permits to acquire the lease then permits to renew it. */
const renewScript = ifOwned(`redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])`);

const releaseScript = ifOwned(`redis.call('DEL', KEYS[1])`);

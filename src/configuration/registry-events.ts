import type { RegistryEvents } from '../clients/redis-registry.ts';
import type { Log } from '../operations/log.ts';

/** What the log says of a registry over Redis. */
export function registryEvents(log: Log): RegistryEvents {
  return {
    onConnection: (problem) => {
      if (problem === undefined) log.info({ event: 'redis_connected' }, 'Redis is connected');
      else log.error({ event: 'redis_unreachable', reason: problem }, 'Redis cannot be asked');
    },
    onNotification: (notification, problem) => {
      const reason = problem === undefined ? {} : { reason: problem };
      const fields = { event: 'client_changes', notification, ...reason };
      if (notification === 'tracking') log.info(fields, 'Redis tells of every change of a client (client tracking)');
      else log.warn(fields, notification === 'notices' ? ONLY_OUR_OWN : NONE);
    },
    onLost: (areLost) => {
      if (areLost) log.error({ event: 'clients_lost' }, LOST);
      else log.info({ event: 'clients_found' }, 'the records of the clients are there again');
    },
  };
}

const ONLY_OUR_OWN =
  'Redis does not track: changes by `countersign clients` are told, others are seen within 5 s or COUNTERSIGN_CLIENT_CACHE_REFRESH';
const NONE = 'changes of clients are not told at the moment: Redis is asked on every request, where it can be';
const LOST =
  'the records of all clients are gone from Redis: those remembered are served for as long as COUNTERSIGN_CLIENT_CACHE_LIFETIME. ' +
  'Write them again: countersign clients apply';

import type { ListenerLimits } from '../../src/http/listener.ts';
import { RequestsInFlight } from '../../src/http/requests-in-flight.ts';

/** Limits that no test reaches. */
export const unlimited: ListenerLimits = {
  maxQueueDelay: Number.POSITIVE_INFINITY,
  inFlight: new RequestsInFlight(),
  onShed: () => {},
  maxConnections: Number.POSITIVE_INFINITY,
  onConnectionRefused: () => {},
};

import type { Context } from 'hono';
import type { EffectiveConfig } from './effective-config.ts';
import { type ObservationStore, WATCH_TTL_SECONDS } from './observation-store.ts';

/** At least 128 bits, so that an id cannot be guessed. */
const WATCH_ID = /^[A-Za-z0-9_-]{22,86}$/;

/**
 * `PUT /doctor/{id}`, `/doctor/checks/{id}`, `/doctor/upstream/{id}`: starts to observe what has this id, and discards earlier observations. Responds
 * with the effective configuration.
 */
export function watchEndpoint(
  observations: Pick<ObservationStore<unknown>, 'watch'>,
  effectiveConfig: EffectiveConfig,
) {
  return (c: Context): Response => {
    const id = c.req.param('id') ?? '';
    if (!WATCH_ID.test(id)) return c.json({ error: 'the id must be 22 to 86 characters of base64url' }, 400);
    observations.watch(id);
    return c.json({ effective_config: effectiveConfig, expires_in: WATCH_TTL_SECONDS }, 201);
  };
}

/** `GET` of the same: the observations since the last `PUT`. */
export function observationsEndpoint(observations: Pick<ObservationStore<unknown>, 'read'>) {
  return (c: Context): Response => {
    const found = observations.read(c.req.param('id') ?? '');
    return found ? c.json({ observations: found }) : c.json({ error: 'there is no watch with this id' }, 404);
  };
}

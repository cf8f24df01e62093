import type { Context } from 'hono';
import type { Terminator } from '../../terminator/terminator.ts';
import { type Observations, WATCH_SECONDS } from './observations.ts';
import type { Observation } from './observe.ts';

/** What `countersign doctor` needs to know of the server's configuration. Nothing in it is secret. */
export interface EffectiveConfig {
  readonly issuer: string;
  readonly mtls_url: string;
  readonly terminator: Terminator['name'];
  readonly certificate_header: string;
  readonly chain_header: string | null;
  readonly verification: Terminator['verification'];
  readonly proxy_trust: string;
  /** Where the proxy is to reach it. Replicas may differ in it. */
  readonly listens_on: string;
}

/** 128 bits or more, so that nobody guesses what another one watches. */
const WATCH_ID = /^[A-Za-z0-9_-]{22,86}$/;

/**
 * `PUT /doctor/{id}`: requests that carry this id from now on are observed, and what was observed before is forgotten.
 * Answers what the server believes.
 */
export function startWatching(observations: Observations<Observation>, belief: EffectiveConfig) {
  return (c: Context): Response => {
    const id = c.req.param('id') ?? '';
    if (!WATCH_ID.test(id)) return c.json({ error: 'the id must be 22 to 86 characters of base64url' }, 400);
    observations.watch(id);
    return c.json({ belief, expires_in: WATCH_SECONDS }, 201);
  };
}

/** `GET /doctor/{id}`: what was observed so far. */
export function readObservations(observations: Observations<Observation>) {
  return (c: Context): Response => {
    const found = observations.read(c.req.param('id') ?? '');
    return found ? c.json({ observations: found }) : c.json({ error: 'nobody watches under this id' }, 404);
  };
}

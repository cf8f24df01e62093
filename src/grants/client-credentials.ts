import type { Grant } from './grant.ts';
import { resolveTarget } from './target.ts';

/** The client acts on its own behalf (RFC 6749 §4.4), so it is also the token's subject (RFC 9068 §2.2). */
export const clientCredentials: Grant = ({ client, sub, form }) => ({
  sub,
  ...resolveTarget(client, form.get('scope'), form.all('resource')),
  lifetimeSeconds: client.accessTokenLifetimeSeconds,
});

import { resolve } from 'node:path';
import type { PlainAddress } from '../http/listen-address.ts';
import { edgeSettings } from './edge.ts';
import { serverSettings } from './server.ts';
import type { Settings } from './settings.ts';

const { LISTEN, OPERATIONS_LISTEN } = serverSettings;
const { EDGE_LISTEN } = edgeSettings;

/** The listeners serve different peers: on one address, clients could reach what is not for them. */
export function requireDistinctListeners(settings: Settings): void {
  const listeners = [LISTEN, OPERATIONS_LISTEN, EDGE_LISTEN].map((setting) => ({
    setting,
    address: settings.read(setting),
  }));
  for (const [index, { setting, address }] of listeners.entries()) {
    const other = listeners.slice(0, index).find((each) => overlap(each.address, address));
    if (!other) continue;
    settings.reject(setting, `is the address of COUNTERSIGN_${other.setting.name}: choose another port or socket`);
  }
}

/** Whether the system would not bind both, or would give the connections of one to the other. */
function overlap(one: PlainAddress | 'off', other: PlainAddress | 'off'): boolean {
  if (one === 'off' || other === 'off') return false;
  if (one.kind === 'unix' || other.kind === 'unix') {
    return one.kind === 'unix' && other.kind === 'unix' && resolve(one.path) === resolve(other.path);
  }
  // Port 0 is any free one.
  if (one.port === 0 || one.port !== other.port) return false;
  return one.host === other.host || includes(one.host, other.host) || includes(other.host, one.host);
}

/** `[::]` also accepts IPv4. `localhost` is one of the two loopback addresses, depending on the system. */
function includes(host: string, other: string): boolean {
  if (host === 'localhost') return other === '127.0.0.1' || other === '::1';
  return host === '::' || (host === '0.0.0.0' && !other.includes(':'));
}

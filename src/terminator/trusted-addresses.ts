import { BlockList, isIP } from 'node:net';

/** The addresses from which forwarded certificates are accepted. */
export interface TrustedAddresses {
  readonly addresses: BlockList;
  /** Whether any of them is outside the loopback ranges. */
  readonly beyondLoopback: boolean;
  readonly description: string;
}

const LOOPBACK = '127.0.0.0/8,::1/128';

/**
 * Parses `COUNTERSIGN_TRUSTED_PROXIES`: comma-separated IPv4 and IPv6 addresses and CIDR ranges.
 *
 * @throws {RangeError} naming the entry that is invalid, or wide enough to include any client
 */
export function parseTrustedAddresses(text: string = LOOPBACK): TrustedAddresses {
  const addresses = new BlockList();
  let beyondLoopback = false;
  for (const entry of text.split(',').map((item) => item.trim())) {
    const { address, prefix, family } = parseEntry(entry);
    addresses.addSubnet(address, prefix, family);
    beyondLoopback ||= !isLoopbackRange(address, prefix);
  }
  return { addresses, beyondLoopback, description: text === LOOPBACK ? 'loopback' : text };
}

function parseEntry(entry: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } {
  const [address = '', suffix, ...more] = entry.split('/');
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  const prefix = suffix === undefined ? bits : /^\d{1,3}$/.test(suffix) ? Number(suffix) : Number.NaN;
  if (version === 0 || more.length > 0 || !(prefix <= bits)) {
    throw new RangeError(`"${entry}" is not an IP address or a CIDR range such as 10.1.2.0/24`);
  }
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (isTooWide(address, prefix, family)) {
    throw new RangeError(`"${entry}" trusts almost every address: list only those of the proxies`);
  }
  return { address, prefix, family };
}

const MIN_IPV6_PREFIX = 16;

/**
 * Whether a range covers more than one /8 of IPv4, also as ::ffff:0:0/96. No operator's proxies do, and two halves of
 * the internet would otherwise pass as two ranges.
 */
function isTooWide(address: string, prefix: number, family: 'ipv4' | 'ipv6'): boolean {
  if (family === 'ipv6' && prefix < MIN_IPV6_PREFIX) return true;
  const range = new BlockList();
  range.addSubnet(address, prefix, family);
  const networks = Array.from({ length: 256 }, (_, first) => `${first}.0.0.1`);
  return networks.filter((address) => range.check(address, 'ipv4')).length > 1;
}

function isLoopbackRange(address: string, prefix: number): boolean {
  return isLoopback(address) && (isIP(address) === 6 ? prefix === 128 : prefix >= 8);
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether an address, in any notation, or a host name is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return /^localhost\.?$/i.test(host);
  return loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

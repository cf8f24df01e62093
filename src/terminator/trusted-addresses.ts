import { BlockList, isIP, isIPv6 } from 'node:net';

/** The addresses from which forwarded certificates are accepted. */
export interface TrustedAddresses {
  readonly addresses: AddressList;
  /** Whether any of them is outside the loopback ranges. */
  readonly beyondLoopback: boolean;
  readonly description: string;
}

export interface AddressList {
  /** Whether the list contains an address, in any notation. */
  check(address: string): boolean;
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
  return { addresses: withCache(addresses), beyondLoopback, description: text === LOOPBACK ? 'loopback' : text };
}

const MAX_CACHED_RESULTS = 1_000;

/** A `BlockList` parses the address, and crosses into C++, on every check. Requests come from few proxies. */
function withCache(list: BlockList): AddressList {
  const cached = new Map<string, boolean>();
  return {
    check: (address) => {
      const known = cached.get(address);
      if (known !== undefined) return known;
      if (cached.size >= MAX_CACHED_RESULTS) cached.clear();
      const result = isInBlockList(list, address);
      cached.set(address, result);
      return result;
    },
  };
}

/** A dual-stack listener reports an IPv4 peer as ::ffff:192.0.2.1, which a BlockList treats as the IPv4 address. */
function isInBlockList(list: BlockList, address: string): boolean {
  if (isIP(address) === 0) return false;
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
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

import { BlockList, isIP } from 'node:net';

/** The addresses that may forward a certificate. */
export interface TrustedAddresses {
  readonly addresses: BlockList;
  /** Whether one of them is another machine's. */
  readonly beyondLoopback: boolean;
  readonly description: string;
}

const LOOPBACK = '127.0.0.0/8,::1/128';

/**
 * Parses `COUNTERSIGN_TRUSTED_PROXIES`: addresses and CIDRs of either family, with commas between.
 *
 * @throws {RangeError} naming the entry that is not one, or that would trust everybody
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
    throw new RangeError(`"${entry}" is not an address or a CIDR such as 10.1.2.3 or 10.1.2.0/24`);
  }
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (isTooWide(address, prefix, family)) {
    throw new RangeError(`"${entry}" trusts everybody; name the addresses of the proxies`);
  }
  return { address, prefix, family };
}

const MIN_IPV6_PREFIX = 16;

/** More than one /8 of IPv4, also as ::ffff:0:0/96, is nobody's proxies: two halves of the internet are all of it. */
function isTooWide(address: string, prefix: number, family: 'ipv4' | 'ipv6'): boolean {
  if (family === 'ipv6' && prefix < MIN_IPV6_PREFIX) return true;
  const range = new BlockList();
  range.addSubnet(address, prefix, family);
  const networks = Array.from({ length: 256 }, (_, octet) => `${octet}.0.0.1`);
  return networks.filter((somebody) => range.check(somebody, 'ipv4')).length > 1;
}

function isLoopbackRange(address: string, prefix: number): boolean {
  return isLoopback(address) && (isIP(address) === 6 ? prefix === 128 : prefix >= 8);
}

/** Whether an address or host name is this machine's own and nobody else's. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

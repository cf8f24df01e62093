import tls from 'node:tls';

/**
 * Trusts the authorities of this machine beside Node's own, as curl and browsers here do: a company's CA is among them.
 * For the whole process.
 */
export function trustSystemAuthorities(): void {
  // Node 24.5 is the first that can be told.
  if (!('setDefaultCACertificates' in tls)) return;
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ...tls.getCACertificates('system')]);
}

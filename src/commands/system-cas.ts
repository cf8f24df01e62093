import tls from 'node:tls';

/** As curl and browsers on this machine do: a company's own CA is only in the system's store. For the whole process. */
export function trustSystemCas(): void {
  // Since Node 24.5.
  if (!('setDefaultCACertificates' in tls)) return;
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ...tls.getCACertificates('system')]);
}

import type { ConfigurationHints, HeaderFormat } from '../../../terminator/format.ts';
import { type HeaderFormatName, headerFormats } from '../../../terminator/formats.ts';
import { PROXY_SECRET_HEADER } from '../../../terminator/trusted-proxy.ts';
import type { EffectiveConfig } from '../../observer/endpoint.ts';
import type { ObservedField } from '../../observer/observed-fields.ts';
import type { PresentedAs } from '../trial.ts';

/** What this terminator's format says about its own configuration, in brackets. */
function hint(terminator: HeaderFormatName, kind: keyof ConfigurationHints): string {
  const { hints }: HeaderFormat = headerFormats[terminator];
  return hints[kind] === undefined ? '' : ` (${hints[kind]})`;
}

export function fixForwarding({ terminator, certificate_header }: EffectiveConfig): string {
  return `let the proxy write the certificate of the handshake in ${certificate_header}${hint(terminator, 'forwardCertificate')}`;
}

export function fixLineFeeds({ terminator, certificate_header }: EffectiveConfig): string {
  return `let the proxy write one line in ${certificate_header}${hint(terminator, 'forwardCertificate')}`;
}

/** Where the proxy refuses a certificate that it should take. */
export function fixCa({ terminator }: EffectiveConfig): string {
  const where = hint(terminator, 'clientCa');
  return `tell the proxy the CA that issued it${where}, or give another one with --cert and --key; the proxy's log may say why`;
}

/** Where the chain of a certificate is not verified to the CA that issued it. */
export function fixChain({ terminator, verification }: EffectiveConfig, reason: string): string {
  if (verification.by === 'none') return 'set COUNTERSIGN_CLIENT_CA_FILE to a file with the CA that issued it';
  const isVerdict = verification.fields.some(({ header }) => reason.includes(header));
  if (!isVerdict) return 'name the CA that issued it, and its intermediates, in COUNTERSIGN_CLIENT_CA_FILE';
  const proxy = `tell the proxy the CA that issued it${hint(terminator, 'clientCa')}`;
  return verification.by === 'countersign' ? `${proxy}, as you tell COUNTERSIGN_CLIENT_CA_FILE` : proxy;
}

export function fixCertificateRequest({ terminator, issuer, mtls_url }: EffectiveConfig): string {
  const ask = `let it ask${hint(terminator, 'requestCertificate')}`;
  if (issuer !== mtls_url) return `${ask}, or set COUNTERSIGN_MTLS_URL to the URL at which it does`;
  return `${ask}; or, if it asks at another URL, set COUNTERSIGN_MTLS_URL, which is not set, to that one`;
}

/** @param held the configured field, where what it holds is the certificate, whatever the encoding */
export function fixRejected(server: EffectiveConfig, held: ObservedField | undefined): string {
  if (held?.certificate === undefined) return fixForwarding(server);
  const { formats } = held.certificate;
  if (!formats.includes(server.terminator)) {
    return fixFormat(held.name, formats, server);
  }
  return 'the reason says what is wrong with the certificate itself: issue one without it';
}

/** Where the proxy says something of a certificate, and there is none. */
export function fixUnexpectedFields(server: EffectiveConfig): string {
  return `let the proxy send none of ${fieldsRead(server).join(', ')} where the handshake showed no certificate`;
}

/** @param reason why the server does not believe the proxy; it names the setting */
export function fixProxyTrust(reason: string): string {
  if (reason.includes('COUNTERSIGN_TRUSTED_PROXIES')) return "add the proxy's address to COUNTERSIGN_TRUSTED_PROXIES";
  if (reason.includes(PROXY_SECRET_HEADER)) {
    return `let the proxy set ${PROXY_SECRET_HEADER}, once and in every location, to what COUNTERSIGN_PROXY_SECRET holds`;
  }
  return 'let the proxy show a certificate that COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS or COUNTERSIGN_PROXY_CA_FILE allows';
}

export function fixAcceptedSpoof(server: EffectiveConfig, shown: PresentedAs | undefined): string {
  if (shown === 'own') return FIX_OTHER_CA;
  return `let the proxy write what this handshake showed, and nothing fixed or kept, in ${server.certificate_header}`;
}

/** How to make somebody verify, where a chain that nobody can have verified counts as verified. */
export function fixVerification({ verification, terminator }: EffectiveConfig): string {
  switch (verification.by) {
    case 'terminator':
      return `${BY_OURSELVES}, or make the proxy refuse what it cannot verify${hint(terminator, 'rejectUnverified')}`;
    case 'header': {
      const names = verification.fields.map(({ header }) => header).join(', ');
      const constant = `the proxy says yes in ${names} whatever it found`;
      return `${constant}; ${BY_OURSELVES}, or let the proxy write there what it found${hint(terminator, 'forwardVerification')}`;
    }
    case 'countersign':
    case 'none':
      return 'this is a fault of Countersign itself; please report it';
  }
}

/** How to keep a proxy from remembering a verdict that it never gave. */
export function fixResumption(belief: EffectiveConfig): string {
  const general = 'let the proxy resume no TLS session where it asks for a certificate';
  return `${general}${hint(belief.terminator, 'disableResumption')}, or ${BY_OURSELVES}`;
}

/** How to let one authority alone speak, where a proxy verifies to another one under another name. */
export const FIX_OTHER_CA =
  'let the proxy refuse a handshake without a name, or for a name that it does not serve (nginx: ssl_reject_handshake ' +
  'in the default server), and a request for another name than the one in the handshake; or set ' +
  'COUNTERSIGN_CLIENT_CA_FILE, and take COUNTERSIGN_CHAIN_VERIFIED_BY away';

const BY_OURSELVES = 'take COUNTERSIGN_CHAIN_VERIFIED_BY away and set COUNTERSIGN_CLIENT_CA_FILE';

/** How to make the proxy overwrite what the server reads. */
export function fixFor({ terminator, ...configured }: EffectiveConfig): string {
  const names = fieldsRead({ terminator, ...configured }).join(', ');
  const general = `let the proxy overwrite ${names} on every host and in every location, also where it asks for no certificate`;
  const { hints }: HeaderFormat = headerFormats[terminator];
  return hints.overwriteHeaders === undefined ? general : `${general}. ${hints.overwriteHeaders}`;
}

/** The names of the fields that the server reads. */
export function fieldsRead({ certificate_header, chain_header, verification }: EffectiveConfig): string[] {
  const verdict = 'fields' in verification ? verification.fields.map(({ header }) => header) : [];
  return [certificate_header, ...(chain_header === null ? [] : [chain_header]), ...verdict];
}

/** How to tell the server which field of which format the certificate is in. */
export function fixFormat(
  header: string,
  formats: readonly HeaderFormatName[],
  { terminator, certificate_header }: EffectiveConfig,
): string {
  const name = header.toLowerCase();
  const [fitting] = formats.filter((format) => headerFormats[format].certificateHeader === name);
  if (fitting) return `set COUNTERSIGN_TERMINATOR=${fitting}, or configure the proxy for ${terminator}`;
  if (formats.includes(terminator)) {
    return `let the proxy call it ${certificate_header}, or set COUNTERSIGN_CERTIFICATE_HEADER=${name}`;
  }
  return `set COUNTERSIGN_TERMINATOR=${formats[0]} and COUNTERSIGN_CERTIFICATE_HEADER=${name}`;
}

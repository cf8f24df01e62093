import type { ConfigurationHints, HeaderFormat } from '../../../terminator/format.ts';
import { type HeaderFormatName, headerFormats } from '../../../terminator/formats.ts';
import { PROXY_SECRET_HEADER } from '../../../terminator/trusted-proxy.ts';
import type { EffectiveConfig, ForwardingConfig } from '../../observer/effective-config.ts';
import type { ObservedField } from '../../observer/observed-fields.ts';
import type { PresentedAs } from '../trial.ts';

/** For a proxy that forwards the fields that clients send. */
export function fixOverwriting(server: EffectiveConfig): string {
  const names = forwardedFieldNames(server).join(', ');
  const { overwriteHeaders } = hintsFor(server.terminator);
  const where = 'on every host and in every location, including those that request no certificate';
  const general = `configure the proxy to overwrite ${names} ${where}`;
  return overwriteHeaders === undefined ? general : `${general}. ${overwriteHeaders}`;
}

/** The names of the fields that the server reads. */
export function forwardedFieldNames({ certificate_header, chain_header, verification }: ForwardingConfig): string[] {
  const verificationHeaders = verification.fields.map(({ header }) => header);
  return [certificate_header, ...(chain_header === null ? [] : [chain_header]), ...verificationHeaders];
}

/** For a certificate that does not arrive. */
export function fixForwarding({ terminator, certificate_header }: EffectiveConfig): string {
  const how = example(terminator, 'forwardCertificate');
  return `configure the proxy to forward the certificate of the handshake in ${certificate_header}${how}`;
}

/** For a PEM that arrives on several lines. */
export function fixLineFeeds({ terminator, certificate_header }: EffectiveConfig): string {
  return `configure the proxy to write ${certificate_header} on one line${example(terminator, 'forwardCertificate')}`;
}

/** For a handshake in which the proxy requests no certificate. */
export function fixCertificateRequest({ terminator, issuer, mtls_url }: EffectiveConfig): string {
  const request = `configure the proxy to request one${example(terminator, 'requestCertificate')}`;
  if (issuer !== mtls_url) return `${request}, or set COUNTERSIGN_MTLS_URL to the URL at which it does`;
  return `${request}; or, if it requests one at another URL, set COUNTERSIGN_MTLS_URL, which is not set, to that URL`;
}

/** For a certificate that the proxy rejects although it should accept it. */
export function fixClientCa({ terminator }: EffectiveConfig): string {
  const other = 'or pass another certificate with --cert and --key';
  return `${addCa(terminator)}, ${other}; the proxy's log may contain the reason`;
}

/** For a certificate whose chain is not verified although a CA issued it. */
export function fixChain({ terminator, verification }: EffectiveConfig, reason: string): string {
  if (verification.by === 'none') return 'set COUNTERSIGN_CLIENT_CA_FILE to a file with the CA that issued it';
  const isByProxy = verification.fields.some(({ header }) => reason.includes(header));
  if (!isByProxy) return 'add the CA that issued it, and its intermediates, to COUNTERSIGN_CLIENT_CA_FILE';
  return verification.by === 'countersign'
    ? `${addCa(terminator)}, as in COUNTERSIGN_CLIENT_CA_FILE`
    : addCa(terminator);
}

function addCa(terminator: HeaderFormatName): string {
  return `add the CA that issued it to the proxy's client CAs${example(terminator, 'clientCa')}`;
}

/** @param field the configured field, when it contains the certificate in any encoding */
export function fixRejected(server: EffectiveConfig, field: ObservedField | undefined): string {
  if (field?.certificate === undefined) return fixForwarding(server);
  const { formats } = field.certificate;
  if (!formats.includes(server.terminator)) return fixFormat(field.name, formats, server);
  return 'the reason names the problem of the certificate itself: issue one without it';
}

/** For a certificate in a field or format other than the configured one. */
export function fixFormat(
  header: string,
  formats: readonly HeaderFormatName[],
  { terminator, certificate_header }: EffectiveConfig,
): string {
  const name = header.toLowerCase();
  const [matching] = formats.filter((format) => headerFormats[format].certificateHeader === name);
  if (matching) return `set COUNTERSIGN_TERMINATOR=${matching}, or configure the proxy for ${terminator}`;
  if (formats.includes(terminator)) {
    return `rename the field to ${certificate_header} in the proxy, or set COUNTERSIGN_CERTIFICATE_HEADER=${name}`;
  }
  return `set COUNTERSIGN_TERMINATOR=${formats[0]} and COUNTERSIGN_CERTIFICATE_HEADER=${name}`;
}

/** For fields that contradict a handshake without a certificate. */
export function fixUnexpectedFields(server: EffectiveConfig): string {
  const names = forwardedFieldNames(server).join(', ');
  return `configure the proxy to send none of ${names} when no certificate was presented in the handshake`;
}

/** @param reason why the server does not trust the proxy; it names the setting */
export function fixProxyTrust(reason: string): string {
  if (reason.includes('COUNTERSIGN_TRUSTED_PROXIES')) return "add the proxy's address to COUNTERSIGN_TRUSTED_PROXIES";
  if (reason.includes(PROXY_SECRET_HEADER)) {
    const value = 'the value of COUNTERSIGN_PROXY_SECRET';
    return `configure the proxy to set ${PROXY_SECRET_HEADER}, once and in every location, to ${value}`;
  }
  return (
    'configure the proxy to present a certificate that COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS or ' +
    'COUNTERSIGN_PROXY_CA_FILE allows'
  );
}

/** For a false acceptance without any forgery. */
export function fixFalseAcceptance(
  { certificate_header }: EffectiveConfig,
  presented: PresentedAs | undefined,
): string {
  if (presented === 'own') return FIX_OTHER_CA;
  const instead = 'not a constant or an earlier value';
  return `configure the proxy to write the certificate of this very handshake in ${certificate_header}, ${instead}`;
}

/** For a proxy that verifies to another CA under another server name. */
const FIX_OTHER_CA =
  'configure the proxy to reject a handshake without a server name, or for one that it does not serve (nginx: ' +
  'ssl_reject_handshake in the default server), and a request whose Host is not the server name of the handshake; or ' +
  'set COUNTERSIGN_CLIENT_CA_FILE and remove COUNTERSIGN_CHAIN_VERIFIED_BY';

/** For a chain that is accepted as verified although it cannot be. */
export function fixVerification({ verification, terminator }: EffectiveConfig): string {
  switch (verification.by) {
    case 'terminator': {
      const how = example(terminator, 'rejectUnverified');
      return `${VERIFY_HERE}, or configure the proxy to reject what it cannot verify${how}`;
    }
    case 'header': {
      const names = verification.fields.map(({ header }) => header).join(', ');
      const cause = `the proxy reports success in ${names} whatever the result`;
      const how = example(terminator, 'forwardVerification');
      return `${cause}; ${VERIFY_HERE}, or configure the proxy to report the result${how}`;
    }
    case 'countersign':
    case 'none':
      return 'this is a bug in Countersign; please report it';
  }
}

/** For a proxy that reports a chain as verified only because the TLS session is resumed. */
export function fixResumption({ terminator }: EffectiveConfig): string {
  const general = 'configure the proxy to resume no TLS session where it requests a certificate';
  return `${general}${example(terminator, 'disableResumption')}, or ${VERIFY_HERE}`;
}

const VERIFY_HERE = 'remove COUNTERSIGN_CHAIN_VERIFIED_BY and set COUNTERSIGN_CLIENT_CA_FILE';

/** The directives of this terminator in brackets, if its format has some. */
function example(terminator: HeaderFormatName, kind: keyof ConfigurationHints): string {
  const hint = hintsFor(terminator)[kind];
  return hint === undefined ? '' : ` (${hint})`;
}

function hintsFor(terminator: HeaderFormatName): ConfigurationHints {
  const { hints }: HeaderFormat = headerFormats[terminator];
  return hints;
}

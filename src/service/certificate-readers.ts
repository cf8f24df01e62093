import { type ClientCertificateReader, readClientCertificate } from '../authentication/client-certificate.ts';
import type { Log } from '../observability/log.ts';
import { createChainVerifier, type PresentedChain } from '../pki/path/verify-chain.ts';
import { WaitingRoom } from '../pki/path/waiting-room.ts';
import { type CertificateReader, createCertificateReader } from '../terminator/certificate-reader.ts';
import { detectForeignHeaders } from '../terminator/foreign-headers.ts';
import type { Terminator } from '../terminator/terminator.ts';
import type { Dependencies } from './dependencies.ts';

/** Creates the reader of client certificates behind a terminator. */
export type ReaderFactory = (terminator: Terminator) => ClientCertificateReader;

/** Creates the readers of the listeners. Those with the same format share a cache of parsed certificates. */
export function certificateReaders(
  { currentTrust, crls }: Dependencies,
  maxRequestsInFlight: number,
  log: Log,
): ReaderFactory {
  const verifyChain = createChainVerifier(currentTrust, crls?.violation, new WaitingRoom(maxRequestsInFlight));
  const decoders = new Map<string, CertificateReader>();
  return (terminator) => {
    const decodeChain = decoders.get(terminator.name) ?? createCertificateReader(terminator.name);
    decoders.set(terminator.name, decodeChain);
    const onForeignHeader = (header: string) => logForeignHeader(header, terminator, log);
    const source = {
      terminator,
      decodeChain,
      verifyChain: (presented: PresentedChain) => verifyChain(presented, Date.now()),
      detectForeignHeaders: detectForeignHeaders(terminator, onForeignHeader, Date.now),
    };
    return (request, entry) => readClientCertificate(request, source, entry);
  };
}

function logForeignHeader(header: string, { name, certificateHeader }: Terminator, log: Log): void {
  log.warn(
    { event: 'foreign_certificate_header', header, configured: certificateHeader },
    `the proxy forwards ${header}, which this server ignores: it is configured for ${name} in ${certificateHeader}. ` +
      'If clients send the header, remove it in the proxy. Otherwise correct COUNTERSIGN_TERMINATOR (at the edge: COUNTERSIGN_EDGE_TERMINATOR) or the proxy',
  );
}

import type { EffectiveConfig } from '../observer/endpoint.ts';
import type { HandshakeReport } from './examination.ts';
import { forgeriesFor, plainForgery } from './forgeries/forgeries.ts';
import { nothingForged } from './forgeries/forgery.ts';
import type { FurtherRoutes } from './further-routes.ts';
import type { ClientKeyPair } from './identity.ts';
import type { Route, Routes } from './routes.ts';
import type { Protocol } from './send/connection.ts';
import { isSeen, type PresentedAs, type Trial, type TrialResult } from './trial.ts';

/** Every way on which clients may come, with each certificate and without, and nothing forged. */
export function baselineTrials(
  { straight, crossing }: Routes,
  handshakes: readonly HandshakeReport[],
  identity: ClientKeyPair,
): Trial[] {
  const protocols = protocolsOf(handshakes);
  return [...straight, ...crossing].flatMap((route) => trialsOn(route, certificatesOf(identity), protocols));
}

/** The same for the ways on which none should. */
export function furtherTrials(
  { resumed }: Routes,
  { paths, unknownNames, plain }: FurtherRoutes,
  handshakes: readonly HandshakeReport[],
  identity: ClientKeyPair,
): Trial[] {
  const protocols = protocolsOf(handshakes);
  return [
    ...resumed.flatMap((route) => trialsOn(route, ['stranger'], ['http/1.1'])),
    ...paths.flatMap((route) => trialsOn(route, ['own', 'none'], protocols)),
    ...unknownNames.flatMap((route) => trialsOn(route, certificatesOf(identity), protocols)),
    ...plain.flatMap((route) => trialsOn(route, ['none'], ['http/1.1'])),
  ];
}

function protocolsOf(handshakes: readonly HandshakeReport[]): readonly Protocol[] {
  return handshakes.some(({ http2 }) => http2) ? ['http/1.1', 'h2'] : ['http/1.1'];
}

/** What was made for this run is a stranger already. */
function certificatesOf({ made }: ClientKeyPair): readonly PresentedAs[] {
  return made ? ['own', 'none'] : ['own', 'stranger', 'none'];
}

function trialsOn(route: Route, certificates: readonly PresentedAs[], protocols: readonly Protocol[]): Trial[] {
  return certificates.flatMap((presented) =>
    protocols.map((protocol) => ({ route, presented, protocol, forgery: nothingForged })),
  );
}

/** The same ways again, with each forgery that their protocol can say. */
export function forgedTrials(
  { straight }: Routes,
  usual: readonly TrialResult[],
  server: EffectiveConfig,
  certificates: Parameters<typeof forgeriesFor>[1],
): Trial[] {
  const all = forgeriesFor(server, certificates);
  const plain = [plainForgery(server, certificates)];
  const names = straight.map(({ name }) => name);
  return usual
    .filter((tried) => worthForging(tried, server))
    .flatMap(({ route, presented, protocol }) => {
      const forgeries = names.includes(route.name) ? all : plain;
      const sayable = forgeries.filter(({ http1, http2 }) => (protocol === 'h2' ? http2 : http1) !== undefined);
      return sayable.map((forgery) => ({ route, presented, protocol, forgery }));
    });
}

/** Where the proxy refuses a certificate as it is, what is forged beside it would not come further. */
function worthForging(tried: TrialResult, { verification }: EffectiveConfig): boolean {
  // Where nobody answers, there is nobody to deceive.
  if (tried.route.transport === 'plain') return tried.response.kind === 'answered';
  if (tried.presented === 'none') return true;
  // Beside a certificate that nobody verified, a forged verdict is all that it needs.
  if (tried.presented === 'stranger' && verification.by !== 'header') return false;
  return isSeen(tried) && tried.route.transport !== 'resumed_tls';
}

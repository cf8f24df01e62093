import type { EffectiveConfig } from '../observer/effective-config.ts';
import type { ClientKeyPair } from './client-key-pair.ts';
import { exactForgery, type ForgedCertificates, forgeriesFor } from './forgeries/forgeries.ts';
import { nothingForged } from './forgeries/forgery.ts';
import type { HandshakeReport } from './probe-report.ts';
import type { Route, Routes } from './routes.ts';
import type { Protocol } from './send/connection.ts';
import { isObserved, type PresentedAs, type Trial, type TrialResult } from './trial.ts';
import type { UnintendedRoutes } from './unintended-routes.ts';

/** Trials without any forgery on the routes that clients may use, with each certificate and without one. */
export function baselineTrials(
  { direct, mismatched }: Routes,
  handshakes: readonly HandshakeReport[],
  clientKeyPair: ClientKeyPair,
): Trial[] {
  const protocols = protocolsOf(handshakes);
  return [...direct, ...mismatched].flatMap((route) => trialsOn(route, certificatesFor(clientKeyPair), protocols));
}

/** Trials without any forgery on the routes that should be closed, and on resumed sessions. */
export function unintendedTrials(
  { resumed }: Routes,
  { paths, unknownNames, plainHttp }: UnintendedRoutes,
  handshakes: readonly HandshakeReport[],
  clientKeyPair: ClientKeyPair,
): Trial[] {
  const protocols = protocolsOf(handshakes);
  return [
    ...resumed.flatMap((route) => trialsOn(route, ['untrusted'], ['http/1.1'])),
    ...paths.flatMap((route) => trialsOn(route, ['own', 'none'], protocols)),
    ...unknownNames.flatMap((route) => trialsOn(route, certificatesFor(clientKeyPair), protocols)),
    ...plainHttp.flatMap((route) => trialsOn(route, ['none'], ['http/1.1'])),
  ];
}

function protocolsOf(handshakes: readonly HandshakeReport[]): readonly Protocol[] {
  return handshakes.some(({ http2 }) => http2) ? ['http/1.1', 'h2'] : ['http/1.1'];
}

/** A generated certificate is untrusted already. */
function certificatesFor({ generated }: ClientKeyPair): readonly PresentedAs[] {
  return generated ? ['own', 'none'] : ['own', 'untrusted', 'none'];
}

function trialsOn(route: Route, certificates: readonly PresentedAs[], protocols: readonly Protocol[]): Trial[] {
  return certificates.flatMap((presented) =>
    protocols.map((protocol) => ({ route, presented, protocol, forgery: nothingForged })),
  );
}

/** The trials of the baseline again: with every forgery on direct routes, with the exact one on all others. */
export function forgedTrials(
  { direct }: Routes,
  baseline: readonly TrialResult[],
  server: EffectiveConfig,
  certificates: ForgedCertificates,
): Trial[] {
  const all = forgeriesFor(server, certificates);
  const exact = [exactForgery(server, certificates)];
  const directNames = direct.map(({ name }) => name);
  return baseline
    .filter((result) => isWorthForging(result, server))
    .flatMap(({ route, presented, protocol }) => {
      const forgeries = directNames.includes(route.name) ? all : exact;
      const expressible = forgeries.filter(({ http1, http2 }) => (protocol === 'h2' ? http2 : http1) !== undefined);
      return expressible.map((forgery) => ({ route, presented, protocol, forgery }));
    });
}

/** A certificate that the proxy rejects by itself is rejected with a forgery as well. */
function isWorthForging(result: TrialResult, { verification }: EffectiveConfig): boolean {
  if (result.route.transport === 'plain') return result.response.kind === 'answered';
  if (result.presented === 'none') return true;
  // A forged verification result is all that an unverified certificate lacks; otherwise it gains nothing.
  if (result.presented === 'untrusted' && verification.by !== 'header') return false;
  return isObserved(result) && result.route.transport !== 'tls_resumed';
}

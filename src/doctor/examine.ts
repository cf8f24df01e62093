import { randomBytes } from 'node:crypto';
import { sha256Thumbprint } from '../certificate/thumbprint.ts';
import type { Belief } from '../endpoints/doctor.ts';
import { StartupError } from '../operations/startup-error.ts';
import { describeAnswer } from './answer.ts';
import { concludeFrom } from './conclude.ts';
import type { Protocol } from './connection.ts';
import type { Examination, HandshakeReport } from './examination.ts';
import { forgeriesFor, plainForgery } from './forgeries.ts';
import { nothingForged } from './forgery.ts';
import { type Identity, makeVictim } from './identity.ts';
import type { Truth } from './judge-forgery.ts';
import { startWatch } from './operations-listener.ts';
import { createOwnAnswers } from './own-answers.ts';
import { type Address, type Route, type Routes, routesTo } from './routes.ts';
import { shakeHands } from './shake-hands.ts';
import type { Trial, Tried } from './trial.ts';
import { tryAll } from './try-all.ts';

/** What to examine, and with what. */
export interface Order {
  /** The issuer, or the mutual TLS URL. */
  readonly url: string;
  readonly identity: Identity;
  /** Of the proxy's own certificate, PEM. */
  readonly serverCa: string | undefined;
  readonly connectTo: Address | undefined;
  /** The operations listeners of all replicas. */
  readonly listeners: readonly [string, ...string[]];
}

/**
 * Sends a certificate through the proxy, then none, then all forgeries, and finds out what the server made of each.
 *
 * @param onProgress told how many forgeries were answered, of how many; those that are sent again count again
 * @throws {StartupError} when it cannot be examined
 */
export async function examine(order: Order, onProgress: (done: number, all: number) => void): Promise<Examination> {
  const { url, identity, serverCa, connectTo, listeners } = order;
  const watchId = randomBytes(18).toString('base64url');
  const watch = await startWatch(listeners, watchId);
  const [server] = watch.beliefs;
  const routes = routesTo(url, server, connectTo);
  const handshakes = await Promise.all(routes.straight.map((route) => shakeHands(route, identity, serverCa)));
  const laboratory = { watch, watchId, identity, serverCa, ownAnswers: createOwnAnswers(), onAnswer: () => {} };

  const usual = await tryAll(usualTrials(routes, handshakes), laboratory);
  requireSeen(usual, order);
  const victim = await makeVictim();
  const trials = forgedTrials(routes, usual, server, { victim, own: identity.der });
  let answered = 0;
  const onAnswer = () => onProgress(++answered, trials.length);
  const forged = await tryAll(trials, { ...laboratory, onAnswer });

  // A proxy that had enough of us stops everything, and by that no forgery.
  const again = await tryAll(usual.filter(isSeen), laboratory);

  const truth = truthOf(usual, identity, victim);
  const shutOut = again.filter((tried) => !isSeen(tried));
  return concludeFrom({ url, beliefs: watch.beliefs, identity, truth, handshakes, usual, forged, shutOut });
}

/** Every way, with the certificate and without, and nothing forged. */
function usualTrials({ straight, crossing }: Routes, handshakes: readonly HandshakeReport[]): Trial[] {
  const http2 = handshakes.some((handshake) => handshake.http2);
  const protocols: readonly Protocol[] = http2 ? ['http/1.1', 'h2'] : ['http/1.1'];
  return [...straight, ...crossing].flatMap((route) =>
    (['own', 'none'] as const).flatMap((shown) =>
      protocols.map((protocol) => ({ route, shown, protocol, forgery: nothingForged })),
    ),
  );
}

/** The same ways again, with each forgery that their protocol can say. */
function forgedTrials(
  { straight }: Routes,
  usual: readonly Tried[],
  server: Belief,
  certificates: Parameters<typeof forgeriesFor>[1],
): Trial[] {
  const all = forgeriesFor(server, certificates);
  const plain = [plainForgery(server, certificates)];
  const names = straight.map(({ name }) => name);
  return usual.filter(worthForging).flatMap(({ route, shown, protocol }) => {
    const forgeries = names.includes(route.name) ? all : plain;
    const sayable = forgeries.filter(({ http1, http2 }) => (protocol === 'h2' ? http2 : http1) !== undefined);
    return sayable.map((forgery) => ({ route, shown, protocol, forgery }));
  });
}

/** Where the proxy refuses our certificate as it is, what is forged beside it would not come further. */
function worthForging(tried: Tried): boolean {
  return tried.shown === 'none' || isSeen(tried);
}

function isSeen({ observations }: Tried): boolean {
  return observations.length > 0;
}

function requireSeen(usual: readonly Tried[], { url, listeners }: Order): void {
  if (usual.some(isSeen)) return;
  const answers = [...new Set(usual.map(({ route, answer }) => `${route.title}: ${describeAnswer(answer)}`))];
  throw new StartupError([
    `nothing that was sent to ${url} arrived at the server whose operations listener is ${listeners.join(', ')}. ` +
      "Check that --url is this server's, and name the operations listener of each replica with --operations. " +
      `The answers were: ${answers.join('; ')}`,
  ]);
}

function truthOf(usual: readonly Tried[], { thumbprint }: Identity, victim: Uint8Array): Truth {
  const isOwnAsUsual = ({ route, shown }: Tried) =>
    route.name === ('mutual_tls' satisfies Route['name']) && shown === 'own';
  const believed = usual.filter(isOwnAsUsual).flatMap(({ observations }) => observations.map((one) => one.believed));
  return {
    ownThumbprint: thumbprint,
    victimThumbprint: sha256Thumbprint(victim),
    ownVerified: believed.some(
      (one) => one.kind === 'certificate' && one.thumbprint === thumbprint && one.chain.verified,
    ),
  };
}

import type { ClientKeyPair } from '../client-key-pair.ts';
import type { PresentedAs, ProbeResponse, Trial } from '../trial.ts';
import { openConnection, openPlainConnection } from './connection.ts';
import { sendOverHttp1 } from './http1.ts';
import { type Http2Request, sendOverHttp2 } from './http2.ts';

/** How to connect as a client. */
export interface ClientContext {
  readonly clientKeyPairs: Readonly<Record<Exclude<PresentedAs, 'none'>, ClientKeyPair>>;
  /** PEM; undefined for the CAs that this machine trusts. */
  readonly serverCa: string | undefined;
}

/** The requests of one connection, in order, as each protocol writes them. */
interface Requests {
  readonly http1: () => readonly Uint8Array[];
  readonly http2: () => readonly Http2Request[];
}

/** Sends requests over a connection of their own, and resolves to the response to the last one. */
export async function sendTrial(
  { route, presented, protocol }: Omit<Trial, 'forgery'>,
  { clientKeyPairs, serverCa }: ClientContext,
  requests: Requests,
): Promise<ProbeResponse> {
  if (route.transport === 'plain') return sendPlain(route.address, requests);
  const clientKeyPair = presented === 'none' ? undefined : clientKeyPairs[presented];
  const connection = await openConnection({ route, clientKeyPair, protocols: [protocol], serverCa });
  if (connection.kind !== 'open') return connection;
  const { socket } = connection;
  try {
    if (protocol === 'h2') return await sendOverHttp2(socket, requests.http2());
    return await sendOverHttp1(socket, requests.http1());
  } finally {
    socket.destroy();
  }
}

async function sendPlain(address: Trial['route']['address'], { http1 }: Requests): Promise<ProbeResponse> {
  const connection = await openPlainConnection(address);
  if (connection.kind !== 'open') return connection;
  try {
    return await sendOverHttp1(connection.socket, http1());
  } finally {
    connection.socket.destroy();
  }
}

const CONCURRENCY = 4;

/** Some at a time; the results are in the order of the items. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return results;
}

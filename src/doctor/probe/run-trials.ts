import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Observation } from '../observer/observe.ts';
import type { ClientKeyPair } from './identity.ts';
import type { OwnResponses } from './own-answers.ts';
import { openConnection, openPlainConnection } from './send/connection.ts';
import { sendOverHttp1 } from './send/http1.ts';
import { sendOverHttp2 } from './send/http2.ts';
import type { Watch } from './send/operations-listener.ts';
import { http1Requests, http2Requests } from './send/requests.ts';
import type { PresentedAs, ProbeResponse, Trial, TrialResult } from './trial.ts';

export interface ProbeContext {
  readonly watch: Watch;
  readonly watchId: string;
  readonly identities: Readonly<Record<Exclude<PresentedAs, 'none'>, ClientKeyPair>>;
  readonly serverCa: string | undefined;
  readonly ownAnswers: OwnResponses;
  /** Told of each request when it was answered. */
  readonly onAnswer: () => void;
}

/** As many as a replica surely keeps: some proxies send a request again. */
const BATCH = 96;
const AT_ONCE = 4;
/** Where another replica answered, which we cannot ask. */
const ATTEMPTS = 6;
/** How much later a request may arrive whose connection the proxy closed. */
const GRACE_MS = 100;

/** Sends every trial through the proxy, and finds out what arrived of it. */
export async function runTrials(trials: readonly Trial[], laboratory: ProbeContext): Promise<TrialResult[]> {
  const tried: TrialResult[] = [];
  for (let at = 0; at < trials.length; at += BATCH) {
    let batch = await tryBatch(trials.slice(at, at + BATCH), laboratory);
    for (let attempt = 1; attempt < ATTEMPTS && batch.some(({ elsewhere }) => elsewhere); attempt += 1) {
      const again = await tryBatch(
        batch.filter(({ elsewhere }) => elsewhere),
        laboratory,
      );
      batch = batch.map((one) => (one.elsewhere ? (again.shift() ?? one) : one));
    }
    tried.push(...batch);
  }
  return tried;
}

async function tryBatch(trials: readonly Trial[], laboratory: ProbeContext): Promise<TrialResult[]> {
  const { watch, watchId, ownAnswers, onAnswer } = laboratory;
  await watch.renew();
  const sent = await inParallel(trials, async (trial) => {
    // A number of its own: what comes late must not be taken for another one.
    const request = randomUUID().slice(0, 8);
    const response = await send(trial, laboratory, `${watchId}.${request}`);
    onAnswer();
    return { trial, request, response };
  });
  if (sent.some(({ response }) => response.kind !== 'answered')) await setTimeout(GRACE_MS);
  const observed = Map.groupBy(await watch.read(), ({ request }: Observation) => request);
  for (const { request, response } of sent) if (observed.has(request)) ownAnswers.learn(response);
  return sent.map(({ trial, request, response }) => {
    const observations = observed.get(request) ?? [];
    return { ...trial, response, observations, elsewhere: observations.length === 0 && ownAnswers.mayBeOurs(response) };
  });
}

async function send(trial: Trial, { identities, serverCa }: ProbeContext, mark: string): Promise<ProbeResponse> {
  const { route, presented, protocol, forgery } = trial;
  if (route.transport === 'plain') return sendPlain(trial, mark);
  const identity = presented === 'none' ? undefined : identities[presented];
  const opened = await openConnection({ route, identity, protocols: [protocol], serverCa });
  if (opened.kind !== 'open') return opened;
  try {
    if (protocol === 'h2') return await sendOverHttp2(opened.socket, http2Requests(route.endpoints, forgery, mark));
    return await sendOverHttp1(opened.socket, http1Requests(route.endpoints, forgery, mark));
  } finally {
    opened.socket.destroy();
  }
}

async function sendPlain({ route, forgery }: Trial, mark: string): Promise<ProbeResponse> {
  const opened = await openPlainConnection(route.address);
  if (opened.kind !== 'open') return opened;
  try {
    return await sendOverHttp1(opened.socket, http1Requests(route.endpoints, forgery, mark));
  } finally {
    opened.socket.destroy();
  }
}

async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Observation } from '../observer/observe.ts';
import type { OwnResponses } from './own-responses.ts';
import type { Watch } from './send/operations-listener.ts';
import { http1Requests, http2Requests } from './send/requests.ts';
import { type ClientContext, mapConcurrently, sendTrial } from './send/send-trial.ts';
import type { ProbeResponse, Trial, TrialResult } from './trial.ts';

export interface ProbeContext extends ClientContext {
  readonly watch: Watch;
  readonly watchId: string;
  readonly ownResponses: OwnResponses;
  /** Called after each request. */
  readonly onResponse: () => void;
}

/** Below the number of observations that a server keeps, because some proxies retry requests. */
const BATCH_SIZE = 96;
/** For a request that another replica may have answered. */
const MAX_ATTEMPTS = 6;
/** How long a request may take to arrive after the proxy closed its connection. */
const LATE_ARRIVAL_MS = 100;

/** Sends every trial through the proxy, and collects what the servers observed. */
export async function runTrials(trials: readonly Trial[], context: ProbeContext): Promise<TrialResult[]> {
  const results: TrialResult[] = [];
  for (let start = 0; start < trials.length; start += BATCH_SIZE) {
    results.push(...(await runUntilObserved(trials.slice(start, start + BATCH_SIZE), context)));
  }
  return results;
}

/** The proxy chooses the replica, so a request that another one answered may reach a queried one when sent again. */
async function runUntilObserved(trials: readonly Trial[], context: ProbeContext): Promise<TrialResult[]> {
  let results = await runBatch(trials, context);
  for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt += 1) {
    const unobserved = results.filter(({ mayBeOtherReplica }) => mayBeOtherReplica);
    if (unobserved.length === 0) break;
    const repeated = await runBatch(unobserved, context);
    results = results.map((result) => (result.mayBeOtherReplica ? (repeated.shift() ?? result) : result));
  }
  return results;
}

async function runBatch(trials: readonly Trial[], context: ProbeContext): Promise<TrialResult[]> {
  const { watch, watchId, ownResponses, onResponse } = context;
  await watch.restart();
  const sent = await mapConcurrently(trials, async (trial) => {
    // Unique, so that a late arrival is not attributed to another request.
    const request = randomUUID().slice(0, 8);
    const response = await send(trial, context, `${watchId}.${request}`);
    onResponse();
    return { trial, request, response };
  });
  if (sent.some(({ response }) => response.kind !== 'answered')) await setTimeout(LATE_ARRIVAL_MS);
  const observed = Map.groupBy(await watch.read(), ({ request }: Observation) => request);
  for (const { request, response } of sent) if (observed.has(request)) ownResponses.learn(response);
  return sent.map(({ trial, request, response }) => {
    const observations = observed.get(request) ?? [];
    const mayBeOtherReplica = observations.length === 0 && ownResponses.mayBeCountersign(response);
    return { ...trial, response, observations, mayBeOtherReplica };
  });
}

function send({ forgery, ...trial }: Trial, context: ProbeContext, tag: string): Promise<ProbeResponse> {
  const { endpoints } = trial.route;
  return sendTrial(trial, context, {
    http1: () => http1Requests(endpoints, forgery, tag),
    http2: () => http2Requests(endpoints, forgery, tag),
  });
}

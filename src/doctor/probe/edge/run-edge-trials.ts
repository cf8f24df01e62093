import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Observation } from '../../observer/observe.ts';
import { DOCTOR_PARAMETER } from '../../observer/upstream.ts';
import type { EdgeWatch } from '../send/operations-listener.ts';
import { protectedRequest, writeHttp1, writeHttp2 } from '../send/requests.ts';
import { type ClientContext, mapConcurrently, sendTrial } from '../send/send-trial.ts';
import type { ProbeResponse, Trial } from '../trial.ts';
import type { EdgeTrialResult } from './edge-trials.ts';

export interface EdgeProbeContext extends ClientContext {
  readonly watch: EdgeWatch;
  readonly watchId: string;
  /** The access token to send. */
  readonly token: string | undefined;
  /** Called after each request. */
  readonly onResponse: () => void;
}

interface EdgeResults {
  readonly results: readonly EdgeTrialResult[];
  /** In the order in which they were observed. */
  readonly checks: readonly Observation[];
}

/** Below the number of observations that a server keeps, because some proxies retry requests. */
const BATCH_SIZE = 96;
/** How long a request may take to arrive after the proxy closed its connection. */
const LATE_ARRIVAL_MS = 100;

/** Sends every trial through the proxy, and collects what the edge and the upstream observed. */
export async function runEdgeTrials(trials: readonly Trial[], context: EdgeProbeContext): Promise<EdgeResults> {
  const results: EdgeTrialResult[] = [];
  const checks: Observation[] = [];
  for (let start = 0; start < trials.length; start += BATCH_SIZE) {
    const batch = await runBatch(trials.slice(start, start + BATCH_SIZE), context);
    results.push(...batch.results);
    checks.push(...batch.checks);
  }
  return { results, checks };
}

async function runBatch(trials: readonly Trial[], context: EdgeProbeContext): Promise<EdgeResults> {
  const { watch, watchId, onResponse } = context;
  await watch.restart();
  const sent = await mapConcurrently(trials, async (trial) => {
    const request = randomUUID().slice(0, 8);
    const response = await send(trial, context, `${watchId}.${request}`);
    onResponse();
    return { trial, request, response };
  });
  if (sent.some(({ response }) => response.kind !== 'answered')) await setTimeout(LATE_ARRIVAL_MS);
  const [arrivals, checks] = await Promise.all([watch.readArrivals(), watch.readChecks()]);
  const arrived = new Map(arrivals.map((arrival) => [arrival.request, arrival]));
  const results = sent.map(({ trial, request, response }) => ({ ...trial, response, arrival: arrived.get(request) }));
  return { results, checks };
}

function send({ forgery, ...trial }: Trial, context: EdgeProbeContext, tag: string): Promise<ProbeResponse> {
  const endpoints = trial.route.endpoints.map(({ host, path }) => {
    return { host, path: `${path}${path.includes('?') ? '&' : '?'}${DOCTOR_PARAMETER}=${tag}` };
  });
  const message = protectedRequest(context.token);
  return sendTrial(trial, context, {
    http1: () => endpoints.map((endpoint) => writeHttp1(endpoint, forgery, message)),
    http2: () => endpoints.map((endpoint) => writeHttp2(endpoint, forgery, message)),
  });
}

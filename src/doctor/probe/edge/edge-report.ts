import type { Arrival } from '../../observer/arrival.ts';
import type { EffectiveConfig } from '../../observer/effective-config.ts';
import type { Observation } from '../../observer/observe.ts';
import type { Coverage, HandshakeReport, ProbeReport } from '../probe-report.ts';
import type { Protocol } from '../send/connection.ts';
import type { PresentedAs } from '../trial.ts';
import type { EdgeOutcome } from './evaluate-arrival.ts';

/** The result of a run at the edge, as printed by `--output json`. */
export interface EdgeReport {
  /**
   * - `secure`: your certificate was identified, and nothing else reached the upstream
   * - `vulnerable`: there are problems
   * - `incomplete`: there are no problems, but not everything was observed
   */
  readonly conclusion: ProbeReport['conclusion'];
  readonly url: string;
  readonly server: EffectiveConfig;
  readonly own_certificate: ProbeReport['own_certificate'];
  /** Empty if nothing was sent. */
  readonly handshakes: readonly HandshakeReport[];
  /** The first request of each certificate without any forgery. */
  readonly baseline: readonly EdgeBaselineReport[];
  readonly forgeries: readonly EdgeForgeryReport[];
  /** Each with its fix. */
  readonly problems: readonly string[];
  readonly coverage: Coverage;
  readonly notes: readonly string[];
}

export interface EdgeBaselineReport {
  readonly certificate: PresentedAs;
  readonly protocol: Protocol;
  readonly outcome: EdgeOutcome;
  readonly response: string;
  /** What the edge received with this certificate, or without one; null if it received no such check. */
  readonly check: Observation | null;
  /** What the upstream received; null if the request did not reach it. */
  readonly arrival: Arrival | null;
}

/** One request with a forgery, or with another spelling of the path. */
export interface EdgeForgeryReport {
  readonly forgery: string;
  readonly title: string;
  readonly url: string;
  readonly certificate: PresentedAs;
  readonly protocol: Protocol;
  readonly outcome: EdgeOutcome;
  readonly detail: string;
  /** HTTP status of the response; null without one. */
  readonly status: number | null;
}

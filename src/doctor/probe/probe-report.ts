import type { EffectiveConfig } from '../observer/effective-config.ts';
import type { Observation } from '../observer/observe.ts';
import type { ForgeryOutcome } from './conclude/evaluate-forgery.ts';
import type { Forgery } from './forgeries/forgery.ts';
import type { Route } from './routes.ts';
import type { Protocol } from './send/connection.ts';
import type { PresentedAs } from './trial.ts';

/** The result of a run, as printed by `--output json`. */
export interface ProbeReport {
  /**
   * - `secure`: the certificate was accepted, and no forgery was
   * - `vulnerable`: there are problems
   * - `incomplete`: there are no problems, but not everything was observed
   */
  readonly conclusion: 'secure' | 'vulnerable' | 'incomplete';
  readonly url: string;
  readonly server: EffectiveConfig;
  readonly own_certificate: {
    readonly subject: string;
    readonly thumbprint: string;
    /** For this run, because none was given. */
    readonly generated: boolean;
  };
  /** Self-signed and generated for this run: a server that accepts its chain as verified verifies no chain. */
  readonly untrusted_certificate: { readonly thumbprint: string };
  /** The certificate of the forged headers. */
  readonly forged_certificate: { readonly thumbprint: string };
  readonly handshakes: readonly HandshakeReport[];
  readonly baseline: readonly BaselineReport[];
  readonly forgeries: readonly ForgeryReport[];
  /** Each with its fix. */
  readonly problems: readonly string[];
  readonly coverage: Coverage;
  readonly notes: readonly string[];
}

/** What a run tested. */
export interface Coverage {
  readonly covered: readonly string[];
  /** With the reason, where there is one. */
  readonly not_covered: readonly string[];
}

/** The handshake between this machine and the proxy. */
export interface HandshakeReport {
  readonly route: Route['name'];
  readonly url: string;
  /** `host:port` */
  readonly connected_to: string;
  readonly server_name: string;
  /** Null when the handshake failed. */
  readonly tls_version: string | null;
  readonly http2: boolean;
  readonly client_certificate_requested: boolean;
  /** Why the handshake with the certificate failed; null when it succeeded. */
  readonly failure: string | null;
}

/** One request without any forgery: what the proxy forwarded, and what the server accepted. */
export interface BaselineReport {
  readonly route: Route['name'];
  readonly url: string;
  readonly certificate: PresentedAs;
  readonly protocol: Protocol;
  readonly response: string;
  /** Null when no server observed the request. */
  readonly observation: Observation | null;
}

/** One request with a forgery. */
export interface ForgeryReport {
  readonly forgery: string;
  readonly title: string;
  readonly family: Forgery['family'];
  readonly route: Route['name'];
  readonly route_title: string;
  readonly certificate: PresentedAs;
  readonly protocol: Protocol;
  readonly outcome: ForgeryOutcome;
  readonly detail: string;
  /** HTTP status of the response; null without one. */
  readonly status: number | null;
}

import type { EffectiveConfig } from '../observer/endpoint.ts';
import type { Observation } from '../observer/observe.ts';
import type { ForgeryOutcome } from './conclude/judge-forgery.ts';
import type { Forgery } from './forgeries/forgery.ts';
import type { Route } from './routes.ts';
import type { Protocol } from './send/connection.ts';
import type { PresentedAs } from './trial.ts';

/** All that a run found, as `--output json` prints it. */
export interface Examination {
  /**
   * - `sound`: the certificate arrived and was believed, and nothing that was forged
   * - `wrong`: there are problems
   * - `incomplete`: there are none, but not everything could be seen
   */
  readonly conclusion: 'sound' | 'wrong' | 'incomplete';
  readonly url: string;
  /** What the server says that it believes. */
  readonly server: EffectiveConfig;
  readonly own_certificate: {
    readonly subject: string;
    readonly thumbprint: string;
    /** Made for this run, because none was given. */
    readonly made: boolean;
  };
  /** Self-signed and made for this run: whoever counts its chain as verified verifies none. */
  readonly stranger_certificate: { readonly thumbprint: string };
  /** The one in the forged headers. */
  readonly victim_certificate: { readonly thumbprint: string };
  readonly handshakes: readonly HandshakeReport[];
  readonly arrivals: readonly Arrival[];
  readonly forgeries: readonly ForgeryReport[];
  /** What has to be mended, each with how. */
  readonly problems: readonly string[];
  /** How far the conclusion goes. */
  readonly coverage: Coverage;
  readonly notes: readonly string[];
}

/** How far a conclusion goes: what was tried, and what was not, with the reason. */
export interface Coverage {
  readonly covered: readonly string[];
  readonly not_covered: readonly string[];
}

/** From this machine to the proxy. */
export interface HandshakeReport {
  readonly route: Route['name'];
  readonly url: string;
  readonly connected_to: string;
  readonly server_name: string;
  readonly tls_version: string | null;
  readonly http2: boolean;
  readonly client_certificate_requested: boolean;
  /** Why there was none. */
  readonly failure: string | null;
}

/** From the proxy to the server, with nothing forged. */
export interface Arrival {
  readonly route: Route['name'];
  readonly url: string;
  readonly certificate: PresentedAs;
  readonly protocol: Protocol;
  readonly answer: string;
  /** Null where the request was not seen. */
  readonly observation: Observation | null;
}

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
  /** HTTP status of the answer. */
  readonly status: number | null;
}

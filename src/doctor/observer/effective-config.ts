import type { Terminator } from '../../terminator/terminator.ts';

/** The part of the server's effective configuration that `countersign doctor` reads. It contains no secrets. */
export interface EffectiveConfig extends ForwardingConfig {
  readonly issuer: string;
  readonly mtls_url: string;
  /** The address that the proxy connects to. The only member that may differ between replicas. */
  readonly listens_on: string;
  /** What is forwarded to the edge listener; null if there is none. */
  readonly edge: ForwardingConfig | null;
}

/** What a proxy forwards to a listener, and why it is trusted there. */
export interface ForwardingConfig {
  readonly terminator: Terminator['name'];
  readonly certificate_header: string;
  readonly chain_header: string | null;
  readonly verification: Terminator['verification'];
  /** How the proxy is authenticated, in words. */
  readonly proxy_trust: string;
}

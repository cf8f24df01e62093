import type { Terminator } from '../../terminator/terminator.ts';

/** The part of the server's effective configuration that `countersign doctor` reads. It contains no secrets. */
export interface EffectiveConfig {
  readonly issuer: string;
  readonly mtls_url: string;
  readonly terminator: Terminator['name'];
  readonly certificate_header: string;
  readonly chain_header: string | null;
  readonly verification: Terminator['verification'];
  /** How the proxy is authenticated, in words. */
  readonly proxy_trust: string;
  /** The address that the proxy connects to. The only member that may differ between replicas. */
  readonly listens_on: string;
}

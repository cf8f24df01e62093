import type { Client } from '../client.ts';
import type { Diagnostic } from '../diagnostics.ts';
import { caPinsOf, spiffePatternOf } from '../methods/methods.ts';
import { PatternIndex } from '../pattern-index.ts';
import { haveDisjointPins } from '../registered-identities.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { overlapOf, parseSpiffePattern, type SpiffePattern } from '../spiffe-pattern.ts';
import type { RecordIndex } from './record-index.ts';

/** What clients whose SPIFFE IDs overlap need. */
export const OVERLAP_FIX =
  'give one of them a pattern with more literal segments, which has precedence, or pin both to different trust anchors ' +
  'of COUNTERSIGN_CLIENT_CA_FILE (tls_client_auth_ca), and set that for this command as well';

/** What is compared of a client. There may be a million, so no more stays in memory. */
interface Registration {
  readonly index: number;
  readonly pattern: string;
  readonly caPins: readonly string[];
}

/** Finds clients of files whose SPIFFE IDs, or patterns, overlap with those of an earlier client. */
export class SpiffeOverlaps {
  readonly #registrations = new PatternIndex<Registration>();
  /** Each list of pins once: clients of one trust domain have the same. */
  readonly #pins = new Map<string, readonly string[]>();
  readonly #clients: RecordIndex;
  readonly #policy: RegistrationPolicy;

  constructor(clients: RecordIndex, policy: RegistrationPolicy) {
    this.#clients = clients;
    this.#policy = policy;
  }

  /** @returns why the client must not be added; undefined if it was */
  add(client: Client, index: number): Diagnostic | undefined {
    const pattern = spiffePatternOf(client.registrations);
    if (!pattern) return undefined;
    const caPins = this.#share(client.registrations.flatMap(caPinsOf));
    const earlier = this.#registrations
      .overlapping(pattern)
      .find((other) => !haveDisjointPins(caPins, other.caPins, this.#policy));
    if (earlier) return this.#describe(pattern, earlier);
    this.#registrations.add(pattern, { index, pattern: pattern.text, caPins });
    return undefined;
  }

  #share(caPins: readonly string[]): readonly string[] {
    const key = caPins.join();
    const shared = this.#pins.get(key) ?? caPins;
    this.#pins.set(key, shared);
    return shared;
  }

  #describe(pattern: SpiffePattern, { index, pattern: earlier }: Registration): Diagnostic {
    const other = `client ${this.#clients.idAt(index)} (${this.#clients.describeLocationAt(index)})`;
    const both = overlapOf(pattern, parseSpiffePattern(earlier));
    const message = `matches ${both}, and so does ${other} with ${earlier}; neither has precedence: ${OVERLAP_FIX}`;
    return { field: 'tls_client_auth_spiffe_id', message };
  }
}

import type { Client } from '../clients/client.ts';
import { describeDiagnostic, type LocatedDiagnostic } from '../clients/files/diagnostics.ts';
import { FileClients } from '../clients/files/file-clients.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { serializeRecord } from '../clients/serialize-record.ts';

/** A client of the files, sound by itself. */
export interface DesiredClient {
  /** Counted from 0 over all files. */
  readonly index: number;
  readonly clientId: string;
  /** Its record, as it is to stand in Redis. */
  readonly text: string;
  readonly client: Client;
}

/** The clients of all files, of whom only names and places are kept, and in words what is wrong with any of them. */
export class DesiredClients {
  readonly errors = new BoundedList();
  readonly warnings = new BoundedList();
  readonly #clients: FileClients;

  /** @param now milliseconds since the epoch */
  constructor(files: readonly string[], policy: RegistrationPolicy, now: number) {
    const addTo = (list: BoundedList) => (finding: LocatedDiagnostic) => list.add(describeDiagnostic(finding));
    this.#clients = new FileClients(files, {
      policy,
      now,
      onError: addTo(this.errors),
      onWarning: addTo(this.warnings),
    });
  }

  has(clientId: string): boolean {
    return this.#clients.index.has(clientId);
  }

  clientIdAt(index: number): string {
    return this.#clients.index.clientIdAt(index);
  }

  /** The file and which of its records it is. */
  locationAt(index: number): string {
    return this.#clients.index.describeLocationAt(index);
  }

  /** Reads all files once. */
  async *batches(): AsyncGenerator<readonly DesiredClient[]> {
    for await (const batch of this.#clients.batches()) {
      yield batch.map(({ index, client, record }) => {
        return { index, clientId: client.clientId, text: serializeRecord(record), client };
      });
    }
  }
}

/** The first messages of many, and how many there were. */
export class BoundedList {
  readonly #first: string[] = [];
  readonly #limit: number;
  count = 0;

  constructor(limit = 50) {
    this.#limit = limit;
  }

  add(...messages: readonly string[]): void {
    this.count += messages.length;
    this.#first.push(...messages.slice(0, Math.max(0, this.#limit - this.#first.length)));
  }

  /** With a last line that says how many are not told. */
  lines(): string[] {
    const untold = this.count - this.#first.length;
    return untold === 0 ? [...this.#first] : [...this.#first, `… and ${untold} more`];
  }
}

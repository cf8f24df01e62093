import type { Client } from '../clients/client.ts';
import { describeDiagnostic, type LocatedDiagnostic } from '../clients/files/diagnostics.ts';
import { FileClients } from '../clients/files/file-clients.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { serializeRecord } from '../clients/serialize-record.ts';

/** A client of the files whose record is valid by itself. */
export interface DesiredClient {
  /** Its position across all files, from 0. */
  readonly index: number;
  readonly clientId: string;
  /** Its record as it is stored in Redis. */
  readonly text: string;
  readonly client: Client;
}

/** The clients of all files. Only `client_id`s and locations stay in memory, with the errors and warnings in words. */
export class DesiredClients {
  readonly errors = new BoundedList();
  readonly warnings = new BoundedList();
  readonly #clients: FileClients;

  /** @param now milliseconds since the epoch */
  constructor(files: readonly string[], policy: RegistrationPolicy, now: number) {
    const addTo = (list: BoundedList) => (diagnostic: LocatedDiagnostic) => list.add(describeDiagnostic(diagnostic));
    this.#clients = new FileClients(files, {
      policy,
      now,
      onError: addTo(this.errors),
      onWarning: addTo(this.warnings),
    });
  }

  /** Reads all files once. */
  async *batches(): AsyncGenerator<readonly DesiredClient[]> {
    for await (const batch of this.#clients.batches()) {
      yield batch.map(({ index, client, record }) => {
        return { index, clientId: client.clientId, text: serializeRecord(record), client };
      });
    }
  }

  has(clientId: string): boolean {
    return this.#clients.index.has(clientId);
  }

  clientIdAt(index: number): string {
    return this.#clients.index.clientIdAt(index);
  }

  /** The file, and the record in it. */
  locationAt(index: number): string {
    return this.#clients.index.describeLocationAt(index);
  }
}

const MAX_MESSAGES = 50;

/** The first messages of many, and how many there were. */
export class BoundedList {
  readonly #first: string[] = [];
  count = 0;

  add(message: string): void {
    this.count += 1;
    if (this.#first.length < MAX_MESSAGES) this.#first.push(message);
  }

  /** The messages, and a last line with the number of those omitted. */
  lines(): string[] {
    const omitted = this.count - this.#first.length;
    return omitted === 0 ? [...this.#first] : [...this.#first, `… and ${omitted} more`];
  }
}

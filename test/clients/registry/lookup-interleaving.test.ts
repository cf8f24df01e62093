import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { identityKey } from '../../../src/clients/identities.ts';
import { identitiesOf } from '../../../src/clients/registered-identities.ts';
import { CertificateLookup } from '../../../src/clients/registry/certificate-lookup.ts';
import { ChangeCounters } from '../../../src/clients/registry/change-counters.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import type { CommandExecutor } from '../../../src/redis/guarded-redis.ts';
import { selfSigned } from '../../support/certificates.ts';
import { registeredClient } from '../../support/registered-client.ts';

const names = ['a', 'b'] as const;
type Name = (typeof names)[number];

const certificate = parseClientCertificate(selfSigned({ dns: names }).der);
/** Its `client_id` states which change of an index entry named it, such as `a-7`. */
const clientOf = (clientId: string) =>
  registeredClient({ client_id: clientId, tls_client_auth_san_dns: clientId.slice(0, 1) });
const keyOf = (name: Name) => `identity:${identitiesOf(clientOf(name)).map(identityKey)[0]}`;

/** The present entry of the index, and the change that made it: changes of all entries are numbered in their order. */
interface IndexState {
  readonly change: number;
  readonly members: readonly string[];
}

interface PendingRead {
  readonly read: () => unknown;
  /** What Redis replied when the request reached it. */
  seen: { readonly reply: unknown } | undefined;
  readonly reply: (reply: unknown) => void;
  readonly fail: () => void;
}

/** `which` selects one of the pending reads. */
type Step =
  | { readonly kind: 'write' | 'remove'; readonly name: Name }
  | { readonly kind: 'arrive' | 'reply' | 'fail'; readonly which: number }
  | { readonly kind: 'find' | 'announce' | 'disconnect' | 'connect' | 'wait' };

/** An identity index, the connection to it, and the connection on which it announces changes, driven step by step. */
class Simulation {
  /** Of each entry, every state, the latest last. */
  readonly #history: Record<Name, IndexState[]> = { a: [initial], b: [initial] };
  readonly #pending: PendingRead[] = [];
  /** Changes announced, and not yet delivered. */
  readonly #announced: { readonly name: Name; readonly change: number }[] = [];
  readonly #changes = new ChangeCounters();
  readonly #delivered = { a: 0, b: 0 };
  readonly #flushed = { a: 0, b: 0 };
  #latest = 0;
  #isConnected = true;
  #time = 0;
  readonly violations: string[] = [];
  readonly #lookup: CertificateLookup;

  constructor() {
    // The only command that reads sets.
    const redis = { pipeline: (commands: readonly [string, string][]) => ({ exec: () => this.#send(commands) }) };
    const execute: CommandExecutor = (command) => command(redis as unknown as Redis);
    this.#lookup = new CertificateLookup({
      redis: { executeOptional: execute },
      execute,
      prefix: 'identity:',
      clients: {
        prefix: 'client:',
        find: async (clientId) => ({ kind: 'record', record: clientOf(clientId), digest: '' }),
      },
      dataLoss: { hasLostData: async () => false },
      changes: this.#changes,
      caching: {
        isCovered: () => this.#isConnected,
        now: () => this.#time,
        bounds: { entries: 10, bytes: 10_000 },
        lifetimes: { refreshAfter: 2, maxAge: 8, negativeTtl: 3 },
        loadTimeoutMilliseconds: 1_000_000,
      },
    });
  }

  step(step: Step): void {
    if (step.kind === 'find') this.#find();
    else if ('name' in step) this.#change(step.name, step.kind === 'write');
    else if ('which' in step) this.#advance(step.kind, step.which);
    else if (step.kind === 'announce') this.#announce();
    else if (step.kind === 'wait') this.#time++;
    else this.#setConnected(step.kind === 'connect');
  }

  /** Settles all pending reads. */
  finish(): void {
    for (let left = 100; this.#pending.length > 0 && left > 0; left--) this.#advance('fail', 0);
  }

  #find(): void {
    const [delivered, flushed] = [{ ...this.#delivered }, { ...this.#flushed }];
    const { stale } = this.#lookup.cache.counts;
    this.#lookup.find({ certificate, hasVerifiedChain: true }).then(
      (clients) => {
        const isStale = this.#lookup.cache.counts.stale > stale;
        for (const name of names) {
          const oldest = isStale ? delivered[name] : Math.max(delivered[name], flushed[name]);
          const found = clients.map(({ clientId }) => clientId).filter((clientId) => clientId.startsWith(name));
          if (!this.#wasCurrent(name, found, oldest))
            this.violations.push(`${name}: served [${found}] after change ${oldest} was delivered`);
        }
      },
      () => {},
    );
  }

  /** Whether the entry had these members after this change, or later. */
  #wasCurrent(name: Name, found: readonly string[], oldest: number): boolean {
    const since = this.#history[name].filter(({ change }) => change >= oldest);
    return since.some(({ members }) => members.join() === found.join());
  }

  #change(name: Name, isWritten: boolean): void {
    const change = ++this.#latest;
    this.#history[name].push({ change, members: isWritten ? [`${name}-${change}`] : [] });
    if (this.#isConnected) this.#announced.push({ name, change });
  }

  #send(commands: readonly [string, string][]): Promise<[null, unknown][]> {
    return new Promise((resolve, reject) => {
      this.#pending.push({
        read: () => commands.map(([command, key]) => [null, this.#replyTo(command, key)]),
        seen: undefined,
        reply: (reply) => resolve(reply as [null, unknown][]),
        fail: () => reject(new Error('Redis is down')),
      });
    });
  }

  #replyTo(command: string, key: string): unknown {
    const name = names.find((each) => keyOf(each) === key);
    const members = (name && this.#history[name].at(-1)?.members) ?? [];
    return command === 'scard' ? members.length : members;
  }

  #advance(kind: 'arrive' | 'reply' | 'fail', which: number): void {
    const index = which % Math.max(1, this.#pending.length);
    const pending = this.#pending[index];
    if (!pending) return;
    pending.seen ??= { reply: pending.read() };
    if (kind === 'arrive') return;
    this.#pending.splice(index, 1);
    if (kind === 'fail') pending.fail();
    else pending.reply(pending.seen.reply);
  }

  #announce(): void {
    const next = this.#announced.shift();
    if (!next) return;
    this.#changes.increment(keyOf(next.name));
    this.#delivered[next.name] = next.change;
  }

  #setConnected(isConnected: boolean): void {
    this.#isConnected = isConnected;
    this.#announced.length = 0;
    if (!isConnected) return;
    this.#lookup.cache.markAllStale();
    for (const name of names) this.#flushed[name] = this.#history[name].at(-1)?.change ?? 0;
  }
}

const initial: IndexState = { change: 0, members: [] };

const name = fc.constantFrom(...names);
const which = fc.nat(3);
const weighted = (weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary });
const step: fc.Arbitrary<Step> = fc.oneof(
  weighted(4, fc.record({ kind: fc.constant('find') })),
  weighted(3, fc.record({ kind: fc.constantFrom('write', 'remove'), name })),
  weighted(8, fc.record({ kind: fc.constantFrom('arrive', 'reply', 'reply', 'fail'), which })),
  weighted(4, fc.record({ kind: fc.constantFrom('announce', 'wait') })),
  weighted(1, fc.record({ kind: fc.constantFrom('disconnect', 'connect') })),
);

test('CertificateLookup finds no candidates older than a delivered change in any interleaving of reads and changes', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
    const simulation = new Simulation();
    for (const each of steps) {
      simulation.step(each);
      await settled();
    }
    simulation.finish();
    await settled();
    expect(simulation.violations).toEqual([]);
  });
  await fc.assert(property, { numRuns: 100 });
});

/** Resolves once everything that waits for no further step has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

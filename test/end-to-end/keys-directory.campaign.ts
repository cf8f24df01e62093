import { setTimeout as delay } from 'node:timers/promises';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { type AuthorizationServer, startAuthorizationServer } from '../support/authorization-server.ts';
import { createTestCa } from '../support/certificates.ts';
import { formOf } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { exact } from '../support/forged-headers.ts';
import { sendRequest } from '../support/raw-http.ts';
import { type Files, mountSecret, newPem } from '../support/signing-key-files.ts';

const client = createTestCa({ subject: [['CN', 'CA']] }).issue({ subject: [['CN', 'billing']] });
/** The shortest that a record may have. */
const LIFETIME_SECONDS = 10;
/** About ten times the duration on an idle machine. */
const TIMEOUT = 300_000;

async function start(folder: string): Promise<AuthorizationServer> {
  const env = { COUNTERSIGN_SIGNING_KEY_FILE: '', COUNTERSIGN_SIGNING_KEYS_DIR: folder };
  const server = await startAuthorizationServer({ env });
  await server.register({
    client_id: 'billing',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    certificates: [{ thumbprint: client.thumbprint }],
    access_token_lifetime: LIFETIME_SECONDS,
  });
  return server;
}

/** Two replicas with the same volume: one that is never restarted, and one that is restarted at each step. */
class Replicas {
  readonly failures: string[] = [];
  tokens = 0;
  readonly #folder: string;
  readonly #steady: AuthorizationServer;
  #restarted: AuthorizationServer;
  #isStopped = false;
  readonly #load: Promise<void>;

  constructor(folder: string, steady: AuthorizationServer, restarted: AuthorizationServer) {
    this.#folder = folder;
    this.#steady = steady;
    this.#restarted = restarted;
    this.#load = this.#issueAndVerify();
  }

  static async start(folder: string): Promise<Replicas> {
    const [steady, restarted] = await Promise.all([start(folder), start(folder)]);
    const replicas = new Replicas(folder, steady, restarted);
    onTestFinished(() => replicas.stop());
    return replicas;
  }

  async restart(): Promise<void> {
    const next = await start(this.#folder);
    const previous = this.#restarted;
    this.#restarted = next;
    await previous.stop();
  }

  /** Waits until both sign with this one of these keys, in the order in which they begin. */
  async agree(count: number, signing: number): Promise<readonly string[]> {
    let states: unknown[] = [];
    const isAgreed = async () => {
      states = await Promise.all([this.#steady, this.#restarted].map(stateOf));
      const [one, other] = states.map((state) => JSON.stringify(state));
      return one === other && this.#isState(states[0], count, signing);
    };
    await eventually(isAgreed, () => `the replicas do not agree: ${JSON.stringify(states)}`, 20_000);
    return (states[0] as State).published; // As `isAgreed` has compared.
  }

  #isState(state: unknown, count: number, signing: number): boolean {
    const { published, kid } = state as State; // As returned by `stateOf`.
    return published.length === count && published[signing] === kid;
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    await this.#load;
    await Promise.all([this.#steady.stop(), this.#restarted.stop()]);
  }

  /** Each token is verified with the keys of either replica, when it is issued and just before it expires. */
  async #issueAndVerify(): Promise<void> {
    const pending: Promise<void>[] = [];
    while (!this.#isStopped) {
      const issuer = this.tokens % 2 === 0 ? this.#steady : this.#restarted;
      const token = await issue(issuer).catch(() => undefined);
      await delay(20);
      // A replica that is stopping has closed its socket.
      if (token === undefined) continue;
      this.tokens += 1;
      pending.push(this.#verify(token), this.#verifyLater(token));
    }
    await Promise.all(pending);
  }

  async #verifyLater(token: string): Promise<void> {
    await delay(LIFETIME_SECONDS * 1000 - 1500);
    await this.#verify(token);
  }

  async #verify(token: string): Promise<void> {
    for (const server of new Set([this.#steady, this.#restarted])) {
      const keys = await jwksOf(server).catch(() => undefined);
      if (!keys) continue;
      await jwtVerify(token, createLocalJWKSet(keys)).catch((error) => {
        // On a busy machine, it may have expired meanwhile.
        if (error.code !== 'ERR_JWT_EXPIRED')
          this.failures.push(`${decodeProtectedHeader(token).kid}: ${error.message}`);
      });
    }
  }
}

interface State {
  readonly published: readonly string[];
  readonly kid: string | undefined;
}

async function stateOf(server: AuthorizationServer): Promise<State> {
  const [jwks, token] = [await jwksOf(server), await issue(server)];
  return { published: jwks.keys.map(({ kid }: { kid: string }) => kid), kid: decodeProtectedHeader(token).kid };
}

async function jwksOf(server: AuthorizationServer) {
  return JSON.parse((await sendRequest(server.url, { method: 'GET', path: '/jwks' })).body);
}

async function issue(server: AuthorizationServer): Promise<string> {
  const lines = ['Content-Type: application/x-www-form-urlencoded', ...exact(client)];
  const { body } = await sendRequest(server.url, { lines, body: formOf('billing') });
  const { access_token } = JSON.parse(body);
  if (access_token === undefined) throw new Error(body);
  return access_token;
}

/** The name of a file whose key signs from a time, to the second. */
const fileFrom = (time: number) => `${new Date(time).toISOString().slice(0, 19).replaceAll(':', '')}Z.pem`;

describeWith(['redis-server'], 'keys in a mounted Secret', () => {
  test('rotate by adding, waiting and removing, with a restart at each step, and every token verifies', {
    timeout: TIMEOUT,
  }, async () => {
    const first: Files = { 'first.pem': newPem() };
    const volume = mountSecret(first);
    const started = performance.now();
    const replicas = await Replicas.start(volume.folder);
    const [firstKid] = await replicas.agree(1, 0);

    // Late enough for the reload and the restart before it.
    const seconds = 4 + (5 * (performance.now() - started)) / 1000;
    const begin = Math.ceil(Date.now() / 1000 + seconds) * 1000;
    const second: Files = { [fileFrom(begin)]: newPem() };
    volume.swap({ ...first, ...second });
    expect((await replicas.agree(2, 0))[0]).toBe(firstKid);
    await replicas.restart();
    await replicas.agree(2, 0);

    await delay(Math.max(0, begin - Date.now()));
    const [, secondKid] = await replicas.agree(2, 1);
    await replicas.restart();
    await replicas.agree(2, 1);

    // Until the last token of the first key has expired.
    await delay(begin + (LIFETIME_SECONDS + 1) * 1000 - Date.now());
    volume.swap(second);
    expect(await replicas.agree(1, 0)).toEqual([secondKid]);
    await replicas.restart();
    expect(await replicas.agree(1, 0)).toEqual([secondKid]);

    await replicas.stop();
    expect(replicas.failures).toEqual([]);
    expect(replicas.tokens).toBeGreaterThan(50);
  });
});

import { readFileSync, statSync } from 'node:fs';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'COUNTERSIGN_';
const READABLE_BY_EVERYBODY = 0o004;

/** What Kubernetes puts into the environment of every pod for a Service that is named after us. */
const serviceLink = /_(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** Reads settings by name, without the prefix, remembers which there are, and collects what is wrong with them. */
export class Settings {
  readonly problems: string[] = [];
  /** What is allowed and hardly meant. */
  readonly warnings: string[] = [];
  readonly #env: Environment;
  readonly #known = new Set<string>();

  constructor(env: Environment) {
    this.#env = env;
  }

  has(name: string): boolean {
    return this.#text(name) !== undefined;
  }

  /** A secret can also stand in the file that `…_FILE` names. */
  hasSecret(name: string): boolean {
    return this.has(name) || this.has(`${name}_FILE`);
  }

  reject(name: string, message: string): undefined {
    this.problems.push(`${PREFIX}${name} ${message}`);
  }

  warn(name: string, message: string): void {
    this.warnings.push(`${PREFIX}${name} ${message}`);
  }

  missing(name: string, meaning: string): undefined {
    return this.reject(name, `is missing: ${meaning}`);
  }

  optional<Value>(name: string, parse: (text: string) => Value): Value | undefined {
    const text = this.#text(name);
    return text === undefined ? undefined : this.#parse(name, text, parse);
  }

  required<Value>(name: string, parse: (text: string) => Value, meaning: string): Value | undefined {
    if (!this.has(name)) this.missing(name, meaning);
    return this.optional(name, parse);
  }

  requiredSecret(name: string, meaning: string): string | undefined {
    if (!this.hasSecret(name)) this.missing(`${name}_FILE`, meaning);
    return this.secret(name);
  }

  /** A secret, from the variable itself or from the file that `…_FILE` names. */
  secret(name: string): string | undefined;
  secret<Value>(name: string, parse: (text: string) => Value): Value | undefined;
  secret(name: string, parse: (text: string) => unknown = (text) => text): unknown {
    const text = this.#text(name);
    const file = this.#text(`${name}_FILE`);
    if (text !== undefined && file !== undefined) return this.reject(name, `stands beside ${PREFIX}${name}_FILE`);
    if (file !== undefined) return this.#parse(`${name}_FILE`, file, (path) => parse(readSecretFile(path)));
    return text === undefined ? undefined : this.#parse(name, text, parse);
  }

  /** Of these variables, those that begin as settings do and have not been asked for. */
  unknown(env: Environment): string[] {
    return Object.keys(env).filter(
      (name) => name.startsWith(PREFIX) && !this.#known.has(name) && !serviceLink.test(name),
    );
  }

  #text(name: string): string | undefined {
    this.#known.add(`${PREFIX}${name}`);
    // A variable that is set to nothing is how people unset one in Compose and in Kubernetes.
    return this.#env[`${PREFIX}${name}`] || undefined;
  }

  #parse<Value>(name: string, text: string, parse: (text: string) => Value): Value | undefined {
    try {
      return parse(text);
    } catch (error) {
      return this.reject(name, error instanceof Error ? error.message : String(error));
    }
  }
}

/**
 * Reads a file that holds a secret.
 *
 * @throws {RangeError} where it is no file, everybody can read it, or it is empty
 */
export function readSecretFile(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new RangeError(`names ${path}, which is not there`);
  if (!stats.isFile()) throw new RangeError(`names ${path}, which is not a file`);
  if (stats.mode & READABLE_BY_EVERYBODY) {
    throw new RangeError(`names ${path}, which everybody can read; chmod 600 it (Kubernetes: defaultMode: 0400)`);
  }
  const text = readOrExplain(path).trim();
  if (text === '') throw new RangeError(`names ${path}, which is empty`);
  return text;
}

function readOrExplain(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new RangeError(
      `names ${path}, which cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

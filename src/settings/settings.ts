import { readSecretFile } from '../files/secret-file.ts';
import type { Setting, SettingValue, Warn } from './setting.ts';
import { naming, type SettingFile } from './setting-files.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export const PREFIX = 'COUNTERSIGN_';

/** Reads settings from environment variables, and collects every problem and warning. */
export class Settings {
  /** One sentence for each, beginning with the name of the variable and a colon. */
  readonly problems: string[] = [];
  /** Settings that are valid but probably not intended. */
  readonly warnings: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Variables of others, which have their own names. */
  get environment(): Environment {
    return this.#env;
  }

  has(setting: Setting): boolean {
    return this.#isSet(setting.name) || this.#isSetInFile(setting);
  }

  /** The variable that holds a secret or names its file, without the prefix; for any other setting, its name. */
  variableOf(setting: Setting): string {
    return this.#isSetInFile(setting) && !this.#isSet(setting.name) ? fileVariable(setting) : setting.name;
  }

  /** The parsed value. If it is missing or invalid, the problem is collected and the default returned. */
  read<S extends Setting>(setting: S): SettingValue<S> {
    const value = this.has(setting) ? this.#readSet(setting) : this.#reportIfRequired(setting);
    const fallback = setting.default === undefined ? undefined : setting.parse(setting.default, () => {});
    // `parse` returns ReturnType<S['parse']>, and undefined only remains where there is no default.
    return (value ?? fallback) as SettingValue<S>;
  }

  /** How to read a setting again that is a file, or a secret in one; undefined if it is not set, or not in a file. */
  fileOf<S extends Setting>(setting: S): SettingFile<ReturnType<S['parse']>> | undefined {
    const variable = setting.isSecret ? fileVariable(setting) : setting.name;
    if (!this.#isSet(variable)) return undefined;
    const path = this.#env[PREFIX + variable] ?? '';
    const name = PREFIX + variable;
    const parse = (warn: Warn) =>
      setting.parse(setting.isSecret ? readSecretFile(path) : path, (part) => warn(`${name}: ${part}`));
    // `parse` returns ReturnType<S['parse']>.
    const load = (warn: Warn) => naming(name, () => parse(warn) as ReturnType<S['parse']>);
    return { path, load };
  }

  /** Runs a further check of a setting. What it throws becomes a problem of the setting. */
  attempt<Value>(setting: Setting, check: () => Value): Value | undefined {
    try {
      return check();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return this.reject(setting, message);
    }
  }

  /** @param message what is wrong and how to fix it: "is set, but …: remove it" */
  reject(setting: Setting, message: string): undefined {
    return this.#addProblem(`${PREFIX}${this.variableOf(setting)}: ${message}`);
  }

  warn(setting: Setting, message: string): void {
    const warning = `${PREFIX}${this.variableOf(setting)}: ${message}`;
    if (!this.warnings.includes(warning)) this.warnings.push(warning);
  }

  /** @param fix how to fix it, or why it is needed, as a clause */
  reportMissing(setting: Setting, fix: string): undefined {
    const variable = setting.isSecret ? `${fileVariable(setting)} (or ${PREFIX}${setting.name})` : setting.name;
    return this.#addProblem(`${PREFIX}${variable}: is missing: ${fix}`);
  }

  #readSet(setting: Setting): unknown {
    this.#checkCompanions(setting);
    const text = this.#env[PREFIX + setting.name] || undefined;
    if (!this.#isSetInFile(setting)) return this.#parse(setting, () => text ?? '');
    if (text !== undefined) {
      return this.reject(setting, `is set together with ${PREFIX}${fileVariable(setting)}: remove one of the two`);
    }
    const path = this.#env[PREFIX + fileVariable(setting)] ?? '';
    return this.#parse(setting, () => readSecretFile(path));
  }

  #parse(setting: Setting, read: () => string): unknown {
    return this.attempt(setting, () => setting.parse(read(), (message) => this.warn(setting, message)));
  }

  #reportIfRequired(setting: Setting): undefined {
    if (setting.required !== undefined) this.reportMissing(setting, setting.required);
  }

  #checkCompanions(setting: Setting): void {
    const { requires, onlyWith } = setting;
    if (requires && !requires.anyOf.some((name) => this.#isSet(name))) {
      this.#addProblem(`${PREFIX}${requires.anyOf[0]}: is missing: ${requires.reason}`);
    }
    // Lenient about `…_FILE`, since an invalid combination only misses a warning.
    if (onlyWith && !onlyWith.some((name) => this.#isSet(name) || this.#isSet(`${name}_FILE`))) {
      this.warn(setting, `has no effect without ${PREFIX}${onlyWith.join(` or ${PREFIX}`)}`);
    }
  }

  #addProblem(problem: string): undefined {
    if (!this.problems.includes(problem)) this.problems.push(problem);
  }

  #isSetInFile(setting: Setting): boolean {
    return setting.isSecret === true && this.#isSet(fileVariable(setting));
  }

  /** An empty variable counts as unset: that is how Compose files and Kubernetes manifests unset one. */
  #isSet(name: string): boolean {
    return (this.#env[PREFIX + name] ?? '') !== '';
  }
}

function fileVariable({ name }: Setting): string {
  return `${name}_FILE`;
}

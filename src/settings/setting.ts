/** Reports what is valid but probably not intended. The message never contains a secret. */
export type Warn = (message: string) => void;

/** Definition of one setting: everything that reading it, its documentation and `serve --help` need. */
interface SettingDefinition<Value = unknown> {
  /** @throws {RangeError} with what is wrong and how to fix it; the message never contains a secret */
  readonly parse: (text: string, warn: Warn) => Value;
  /** One phrase in Markdown, for the help and the documentation. */
  readonly description: string;
  /** Further sentences in Markdown, for the documentation only. */
  readonly details?: string;
  /** Text that applies if the setting is not set; parsed like one that is set. */
  readonly default?: string;
  /** What applies if the setting is not set, where that is not a fixed text. In Markdown; `none` if omitted. */
  readonly defaultDescription?: string;
  /** Makes the setting mandatory. How to fix that it is missing, as a clause. */
  readonly required?: string;
  /** Variables that can be set instead of this one, which is mandatory otherwise. */
  readonly requiredUnless?: readonly string[];
  /** A secret is also read from the file that `…_FILE` names. */
  readonly isSecret?: true;
  /** Another setting that must be set together with this one. */
  readonly requires?: Requirement;
  /** Names of settings, one of which must be set; otherwise this one has no effect, which causes a warning. */
  readonly onlyWith?: readonly string[];
  /** Replicas of one deployment may differ in it, such as in the address that they listen on. */
  readonly mayDiffer?: true;
  /** Names from before a rename. They are not read; `unknown setting` suggests the new name. */
  readonly formerNames?: readonly string[];
}

interface Requirement {
  /** Names of settings, one of which must be set. The first is recommended to the operator. */
  readonly anyOf: readonly [string, ...string[]];
  /** Why, or what it has to be, as a clause. */
  readonly reason: string;
}

export interface Setting<Value = unknown> extends SettingDefinition<Value> {
  /** Without the prefix `COUNTERSIGN_`. */
  readonly name: string;
  /** Heading in the documentation. */
  readonly group: string;
}

/** What reading a setting returns: undefined is possible unless it has a default. */
export type SettingValue<S extends Setting> =
  | ReturnType<S['parse']>
  | (S extends { readonly default: string } ? never : undefined);

type Definitions = Readonly<Record<string, SettingDefinition>>;
type SettingsOf<D extends Definitions> = {
  readonly [Name in keyof D]: D[Name] & { readonly name: string; readonly group: string };
};

/** Defines the settings of one subject, keyed by their names without the prefix. */
export function defineSettings<const D extends Definitions>(group: string, definitions: D): SettingsOf<D> {
  const entries = Object.entries(definitions).map(([name, definition]) => [name, { ...definition, name, group }]);
  // Object.fromEntries loses the keys; these are the keys of `definitions`, with two members added to each value.
  return Object.fromEntries(entries) as SettingsOf<D>;
}

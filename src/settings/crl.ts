import { fileErrorReason } from '../errors/file-error.ts';
import { parseSha256Thumbprint } from '../pki/certificate/thumbprint.ts';
import type { CrlConfig } from '../pki/crl/crl-checker.ts';
import { crlFiles, readCrlFile } from '../pki/crl/crl-files.ts';
import { type CaCrlPolicy, type CrlMode, crlModes } from '../pki/crl/crl-violation.ts';
import { type ClientCa, chainSettings } from './client-ca.ts';
import { oneOf, parseDuration } from './parsers.ts';
import { defineSettings, type Setting } from './setting.ts';
import type { Settings } from './settings.ts';

const MIN_INTERVAL_MILLISECONDS = 1_000;

const requiresClientCa = {
  anyOf: ['CLIENT_CA_FILE'],
  reason: 'set it to the certificates of the CAs that sign the CRLs',
} as const;

export const crlSettings = defineSettings('Certificate revocation lists', {
  CLIENT_CRLS: {
    parse: parseSources,
    description: 'comma-separated files, folders and `http(s)` URLs of CRLs',
    requires: requiresClientCa,
  },
  CRL_MODE: {
    parse: (text) => parsePerCa(text, oneOf(crlModes)),
    description: 'whether a CRL is needed for each CA: `require`, `prefer` or `off`',
    details:
      'To set it for one CA, put the thumbprint of its public key before the value: `require,THUMBPRINT=off`. ' +
      'See [chains.md](chains.md).',
    defaultDescription: '`require` with `COUNTERSIGN_CLIENT_CRLS`, otherwise `off`',
    requires: requiresClientCa,
    formerNames: ['REVOCATION'],
  },
  CRL_MAX_STALENESS: {
    parse: (text) => parsePerCa(text, parseDuration),
    description: 'how long a CRL stays usable after its nextUpdate',
    details: '`0`, `30s`, `5m`, `24h`, `7d`; for one CA, `0,THUMBPRINT=24h`.',
    default: '0',
    onlyWith: ['CLIENT_CRLS', 'CRL_MODE'],
  },
  CRL_INTERVAL: {
    parse: parseInterval,
    description: 'time within which a new CRL behind a URL is in effect on every replica',
    default: '5m',
    onlyWith: ['CLIENT_CRLS', 'CRL_MODE'],
  },
});

/** A value for every CA, and overrides by public key thumbprint. */
interface PerCa<Value> {
  readonly byDefault: Value | undefined;
  readonly byCa: ReadonlyMap<string, Value>;
}

/**
 * Reads the settings about CRLs; undefined if neither sources nor a mode are set. Where CRLs are configured, the mode is
 * `require` unless set otherwise. Problems are collected in `settings`.
 */
export function readCrlConfig(settings: Settings, clientCa: ClientCa | undefined): CrlConfig | undefined {
  const sources = settings.read(crlSettings.CLIENT_CRLS);
  const modes = settings.read(crlSettings.CRL_MODE);
  const staleness = settings.read(crlSettings.CRL_MAX_STALENESS);
  const intervalMilliseconds = settings.read(crlSettings.CRL_INTERVAL);
  for (const path of sources?.paths ?? []) requireCrlFiles(settings, path);
  requireKnownCas(settings, crlSettings.CRL_MODE, modes, clientCa);
  requireKnownCas(settings, crlSettings.CRL_MAX_STALENESS, staleness, clientCa);
  if (!sources && !modes) return undefined;
  const modeOf = (key: string | undefined): CrlMode => valueForCa(modes, key) ?? 'require';
  const policyOf = (key?: string): CaCrlPolicy => ({
    mode: modeOf(key),
    maxStalenessMilliseconds: valueForCa(staleness, key) ?? 0,
  });
  const overridden = [...(modes?.byCa.keys() ?? []), ...staleness.byCa.keys()];
  const policy = { byDefault: policyOf(), byCa: new Map(overridden.map((key) => [key, policyOf(key)])) };
  return { ...(sources ?? { paths: [], urls: [] }), policy, intervalMilliseconds };
}

/** Reported together with the problems of other settings. The CRLs are verified when the server loads them. */
function requireCrlFiles(settings: Settings, path: string): void {
  const attempt = <Value>(file: string, read: () => Value) =>
    settings.attempt(crlSettings.CLIENT_CRLS, () => {
      try {
        return read();
      } catch (error) {
        throw new RangeError(`${file}: ${fileErrorReason(error)}`);
      }
    });
  for (const file of attempt(path, () => crlFiles(path)) ?? []) attempt(file, () => readCrlFile(file));
}

function valueForCa<Value>(values: PerCa<Value> | undefined, key: string | undefined): Value | undefined {
  return (key === undefined ? undefined : values?.byCa.get(key)) ?? values?.byDefault;
}

/** An override for an unknown CA would silently have no effect. */
function requireKnownCas(
  settings: Settings,
  setting: Setting,
  values: PerCa<unknown> | undefined,
  clientCa: ClientCa | undefined,
): void {
  // A file that is set but invalid is reported already.
  if (!values || (!clientCa && settings.has(chainSettings.CLIENT_CA_FILE))) return;
  const { anchors, intermediates } = clientCa?.store ?? { anchors: [], intermediates: [] };
  const known = new Set([...anchors, ...intermediates].map(({ publicKeyThumbprint }) => publicKeyThumbprint));
  for (const key of values.byCa.keys()) {
    if (!known.has(key)) settings.reject(setting, `names ${key}, but no CA in COUNTERSIGN_CLIENT_CA_FILE has that key`);
  }
}

function parseSources(text: string): { paths: readonly string[]; urls: readonly string[] } {
  const sources = text.split(',').map((item) => item.trim());
  const isUrl = (source: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(source);
  for (const source of sources.filter(isUrl)) requireHttp(source);
  return { paths: sources.filter((source) => !isUrl(source)), urls: sources.filter(isUrl) };
}

/** @throws {RangeError} that does not repeat the URL, which may contain a password */
function requireHttp(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const [scheme] = text.split('://', 1);
  if (!url) throw new RangeError(`a value that starts with ${scheme}:// is not a URL: check its host and port`);
  if (!/^https?:$/.test(url.protocol)) {
    throw new RangeError(`a URL starts with ${scheme}://: expected http://, https:// or a path`);
  }
  if (url.username === '' && url.password === '') return;
  throw new RangeError(`the URL of ${url.host} contains a user or a password, which is not supported: remove it`);
}

function parseInterval(text: string): number {
  const interval = parseDuration(text);
  if (interval >= MIN_INTERVAL_MILLISECONDS) return interval;
  throw new RangeError(`"${text}" is shorter than a second`);
}

/** Parses `require`, or `require, THUMBPRINT=off`: a value for all CAs, and overrides by public key thumbprint. */
function parsePerCa<Value>(text: string, parse: (text: string) => Value): PerCa<Value> {
  let byDefault: Value | undefined;
  const byCa = new Map<string, Value>();
  for (const entry of text.split(',').map((item) => item.trim())) {
    const at = entry.lastIndexOf('=');
    const value = parse(entry.slice(at + 1));
    const key = at === -1 ? undefined : parseSha256Thumbprint(entry.slice(0, at), '`countersign certificate CA.pem`');
    if ((key === undefined ? byDefault : byCa.get(key)) !== undefined)
      throw new RangeError(`contains two values for ${key ?? 'all CAs'}; expected one`);
    if (key === undefined) byDefault = value;
    else byCa.set(key, value);
  }
  return { byDefault, byCa };
}

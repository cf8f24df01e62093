import { parseSha256Thumbprint } from '../pki/certificate/thumbprint.ts';
import type { CrlConfig } from '../pki/crl/crl-checker.ts';
import { type CaCrlPolicy, type CrlMode, crlModes } from '../pki/crl/crl-violation.ts';
import type { ClientCa } from './client-ca.ts';
import { oneOf, parseDuration } from './parsers.ts';
import type { Settings } from './settings.ts';

const DEFAULT_INTERVAL_MILLISECONDS = 5 * 60_000;
const MIN_INTERVAL_MILLISECONDS = 1_000;

/** A value for every CA, and others for byCa ones. */
interface PerCa<Value> {
  readonly byDefault: Value | undefined;
  readonly byCa: ReadonlyMap<string, Value>;
}

/**
 * Reads the settings about CRLs; undefined where none is set. Where CRLs are configured they are required, unless it is
 * said otherwise. Faults are collected in the settings.
 */
export function readCrlConfig(settings: Settings, clientCa: ClientCa | undefined): CrlConfig | undefined {
  const sources = settings.optional('CLIENT_CRLS', parseSources);
  const modes = settings.optional('CRL_MODE', (text) => parsePerCa(text, oneOf(crlModes), clientCa));
  const staleness = settings.optional('CRL_MAX_STALENESS', (text) => parsePerCa(text, parseDuration, clientCa));
  const intervalMilliseconds = settings.optional('CRL_INTERVAL', parseInterval) ?? DEFAULT_INTERVAL_MILLISECONDS;
  if (!sources && !modes) return warnAboutUnused(settings);
  if (!clientCa) settings.missing('CLIENT_CA_FILE', 'a CRL counts by the signature of a CA that is configured there');
  const modeOf = (key: string | undefined): CrlMode => forCa(modes, key) ?? 'require';
  const policyOf = (key?: string): CaCrlPolicy => ({
    mode: modeOf(key),
    maxStalenessMilliseconds: forCa(staleness, key) ?? 0,
  });
  const named = [...(modes?.byCa.keys() ?? []), ...(staleness?.byCa.keys() ?? [])];
  const policy = { byDefault: policyOf(), byCa: new Map(named.map((key) => [key, policyOf(key)])) };
  return { ...(sources ?? { paths: [], urls: [] }), policy, intervalMilliseconds };
}

function warnAboutUnused(settings: Settings): undefined {
  for (const name of ['CRL_MAX_STALENESS', 'CRL_INTERVAL'].filter((each) => settings.has(each))) {
    settings.warn(name, 'has no effect: without COUNTERSIGN_CLIENT_CRLS nobody asks whether a certificate is revoked');
  }
}

function forCa<Value>(values: PerCa<Value> | undefined, key: string | undefined): Value | undefined {
  return (key === undefined ? undefined : values?.byCa.get(key)) ?? values?.byDefault;
}

function parseSources(text: string): { paths: readonly string[]; urls: readonly string[] } {
  const sources = text.split(',').map((item) => item.trim());
  const isUrl = (source: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(source);
  for (const source of sources.filter(isUrl)) requireHttp(source);
  return { paths: sources.filter((source) => !isUrl(source)), urls: sources.filter(isUrl) };
}

/** @throws {RangeError} that does not repeat the URL, which may hold a password */
function requireHttp(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    const [scheme] = text.split('://', 1);
    if (!url) throw new RangeError(`holds what begins with ${scheme}:// and is no URL; see its host and port`);
    throw new RangeError(
      `holds a URL that begins with ${scheme}:// and is none of http or https; expected that, or a path`,
    );
  }
  if (url.username === '' && url.password === '') return;
  throw new RangeError(`holds a URL of ${url.host} with a user or password, which cannot be sent; a CRL is public`);
}

function parseInterval(text: string): number {
  const interval = parseDuration(text);
  if (interval >= MIN_INTERVAL_MILLISECONDS) return interval;
  throw new RangeError(`"${text}" is shorter than a second`);
}

/** `require`, or `require, KEY=off`: a value for all, and with a CA's public key before it one for that CA. */
function parsePerCa<Value>(text: string, parse: (text: string) => Value, clientCa: ClientCa | undefined): PerCa<Value> {
  let byDefault: Value | undefined;
  const byCa = new Map<string, Value>();
  for (const entry of text.split(',').map((item) => item.trim())) {
    const at = entry.lastIndexOf('=');
    const value = parse(entry.slice(at + 1));
    const key = at === -1 ? undefined : requireKnown(entry.slice(0, at), clientCa);
    if ((key === undefined ? byDefault : byCa.get(key)) !== undefined)
      throw new RangeError(`holds two values for ${key ?? 'all CAs'}; expected one`);
    if (key === undefined) byDefault = value;
    else byCa.set(key, value);
  }
  return { byDefault: byDefault, byCa: byCa };
}

function requireKnown(text: string, clientCa: ClientCa | undefined): string {
  const key = parseSha256Thumbprint(text, '`countersign certificate CA.pem`');
  const { anchors, intermediates } = clientCa?.store ?? { anchors: [], intermediates: [] };
  if ([...anchors, ...intermediates].some(({ publicKeyThumbprint }) => publicKeyThumbprint === key)) return key;
  throw new RangeError(`names ${text}, which is the key of no CA in COUNTERSIGN_CLIENT_CA_FILE`);
}

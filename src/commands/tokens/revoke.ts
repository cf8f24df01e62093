import { parseResourceValue } from '../../administration/stored-records.ts';
import { formatDiagnostic } from '../../clients/diagnostics.ts';
import { ConfigurationError, OperatorError } from '../../errors/operator-error.ts';
import { CLIENT_ID_GRAMMAR, isClientId, isResourceIndicator } from '../../oauth/grammar.ts';
import { clientKey, resourceKey } from '../../resources/record-types.ts';
import { isResourceName } from '../../resources/resource.ts';
import type { Environment } from '../../settings/settings.ts';
import { printable } from '../../text.ts';
import {
  cutOff,
  LONGEST_LIFETIME_SECONDS,
  MAX_CLOCK_DIFFERENCE_SECONDS,
  type Revocation,
  type RevokedSubject,
  revokedToken,
} from '../../tokens/revocation/revocation.ts';
import { type Administration, openAdministration } from '../clients/administration.ts';
import type { ClientsFormat } from '../clients/options.ts';
import { printValue } from '../output/document.ts';
import { printWarnings } from '../output/errors.ts';
import { reportRevocation } from './revocation-report.ts';

export interface RevokeOptions {
  readonly client?: string;
  readonly resource?: string;
  readonly jti?: string;
  readonly before?: string;
  readonly output: ClientsFormat;
}

/**
 * `countersign tokens revoke`: revokes one token, or those of a client or for a resource that were issued until a moment.
 *
 * @returns the exit code: 0
 * @throws {ConfigurationError} if the options are invalid
 * @throws {OperatorError} if the resource is unknown, or when Redis fails
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function revokeTokens(env: Environment, options: RevokeOptions): Promise<number> {
  const target = requireTarget(options);
  const before = options.before === undefined ? undefined : parseInstant(options.before);
  await using administration = await openAdministration(env);
  const { revocations, interruption } = administration;
  // The clock of Redis is that of the deployment rather than that of the operator.
  const [now, subject] = await interruption.abortable(
    Promise.all([revocations.now(), findSubject(target, administration)]),
  );
  const revocation = revocationOf(subject, before, Math.floor(now / 1000));
  await interruption.finishWrites(() => revocations.revoke(revocation, now));
  if (options.output === 'table') console.log(outcomeOf(revocation));
  else printValue(options.output, reportRevocation(revocation));
  return 0;
}

/** What one of the options names. */
interface Target {
  readonly option: 'client' | 'resource' | 'jti';
  readonly text: string;
}

function requireTarget(options: RevokeOptions): Target {
  const names = ['client', 'resource', 'jti'] as const;
  const targets = names.flatMap((option) => {
    const text = options[option];
    return text === undefined ? [] : [{ option, text }];
  });
  const [target] = targets;
  if (!target || targets.length > 1)
    throw new ConfigurationError(['expected exactly one of --client, --resource and --jti']);
  if (target.option === 'jti' && options.before !== undefined)
    throw new ConfigurationError(['--before has no effect on a single token: remove it']);
  requireGrammar(target);
  return target;
}

/** Our own limit: the server writes UUIDs. */
const JTI = /^[\x21-\x7e]{1,255}$/;

function requireGrammar({ option, text }: Target): void {
  const name = quoted(text);
  if (option === 'client' && !isClientId(text))
    throw new ConfigurationError([`--client: ${name} is not a client_id: expected ${CLIENT_ID_GRAMMAR}`]);
  if (option === 'resource' && !isResourceName(text) && !isResourceIndicator(text))
    throw new ConfigurationError([`--resource: ${name} is neither the name of a resource nor an absolute URI`]);
  if (option === 'jti' && !JTI.test(text))
    throw new ConfigurationError([
      `--jti: ${name} is not a jti: expected 1 to 255 printable ASCII characters without spaces`,
    ]);
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

/** @returns seconds since the epoch */
function parseInstant(text: string): number {
  const milliseconds = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(milliseconds)) return Math.floor(milliseconds / 1000);
  throw new ConfigurationError([`--before: ${quoted(text)} is not an instant such as 2026-11-30T08:00:00Z`]);
}

function quoted(text: string): string {
  return `"${printable(text)}"`;
}

async function findSubject({ option, text }: Target, administration: Administration): Promise<RevokedSubject> {
  switch (option) {
    case 'jti':
      return { kind: 'jti', value: text };
    case 'client':
      await warnIfMissing(text, administration);
      return { kind: 'client', value: text };
    case 'resource':
      return { kind: 'audience', value: isResourceName(text) ? await audienceOf(text, administration) : text };
  }
}

/** Tokens of a removed client can be revoked. */
async function warnIfMissing(clientId: string, { store }: Administration): Promise<void> {
  const [value] = await store.read([clientKey(clientId)]);
  if (value?.type === 'none') printWarnings([`client ${clientId} is not in Redis: check its client_id`]);
}

async function audienceOf(name: string, { store, policy }: Administration): Promise<string> {
  const [value] = await store.read([resourceKey(name)]);
  const fix = '; pass the URI that its tokens have in aud instead';
  if (!value || value.type === 'none') throw new OperatorError([`resource ${name} is not in Redis${fix}`]);
  const { resource, errors } = parseResourceValue(name, value, policy);
  if (resource) return resource.audience;
  throw new OperatorError([
    `resource ${name} has an invalid record (${errors.slice(0, 1).map(formatDiagnostic)})${fix}`,
  ]);
}

/** Times are in seconds since the epoch. */
function revocationOf(subject: RevokedSubject, before: number | undefined, now: number): Revocation {
  if (subject.kind === 'jti') return revokedToken(subject.value, now + LONGEST_LIFETIME_SECONDS);
  const revocation = cutOff(subject, before ?? now);
  if (revocation.before > now + MAX_CLOCK_DIFFERENCE_SECONDS)
    throw new ConfigurationError(['--before: is more than 5 minutes ahead: new tokens would be rejected until then']);
  if (revocation.expiresAt > now) return revocation;
  throw new ConfigurationError(['--before: is so long ago that every token that was issued until then has expired']);
}

function outcomeOf(revocation: Revocation): string {
  const { value, before } = reportRevocation(revocation);
  const issued = `that was issued until ${before} is revoked`;
  const outcomes = {
    jti: `token ${value} is revoked`,
    client: `every token of client ${value} ${issued}`,
    audience: `every token for ${value} ${issued}`,
  };
  return printable(outcomes[revocation.kind]);
}

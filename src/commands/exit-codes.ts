import { ConfigurationError } from '../errors/operator-error.ts';

/** The exit codes of every command. A signal ends a command with 128 plus its number, as shells report it. */
export const exitCodes = {
  success: 0,
  failure: 1,
  /** A usage or configuration error. */
  usage: 2,
  /** What a command was run to find is there, such as a vulnerability. */
  findings: 3,
} as const;

/** The code of what a command throws. */
export function codeOfError(error: unknown): number {
  return error instanceof ConfigurationError ? exitCodes.usage : exitCodes.failure;
}

/** What the codes mean to one command. The others mean to it what they mean to all. */
interface CommandCodes {
  readonly success?: string;
  /** Another failure has this code as well. */
  readonly failure?: string;
  readonly usage?: string;
  readonly findings?: string;
  /** Whether SIGINT ends it with 0, as it should. */
  readonly isStopped?: true;
}

const imported: CommandCodes = {
  success: 'every client works as before',
  failure: 'the file cannot be read',
  findings: 'a client has a difference or is left out, as the summary states',
};

/** By the names of a command after `countersign`. */
const commands: Readonly<Record<string, CommandCodes>> = {
  serve: {
    success: 'stopped; with --check, the server can start',
    failure:
      'it cannot start, as on an address that is in use or missing, or was stopped twice; with --check, Redis cannot be reached',
    isStopped: true,
  },
  dev: { success: 'stopped', failure: 'it cannot start, as on a port in use', isStopped: true },
  token: { success: 'a token was issued', failure: 'the server rejects the request or cannot be reached' },
  certificate: {
    success: 'the server accepts the certificate',
    failure: 'it rejects the certificate or cannot verify it with the CAs',
  },
  rejections: {},
  doctor: {
    success: 'secure',
    failure: 'incomplete: not everything was observed',
    findings: 'vulnerable: there are problems to fix',
  },
  completion: {},
  'clients check': { success: 'every record is valid', failure: 'a record is invalid' },
  'clients import identityserver': imported,
  'clients import keycloak': imported,
  'clients plan': {
    success: 'success, whether or not there are changes',
    failure: 'a record is invalid',
    usage: 'usage or configuration error; with --detailed-exitcode, there are changes, and such an error is 1',
  },
  'clients apply': {
    success: 'success, whether or not there were changes',
    failure: 'a record is invalid, or was changed by another command',
    usage: 'usage or configuration error, as a removal that requires --yes',
  },
  'clients list': {},
  'clients show': { failure: 'the client does not exist, its record is invalid, or no client matches the certificate' },
  'clients disable': { success: 'every client is disabled', failure: 'a client does not exist' },
  'clients enable': { success: 'every client is enabled', failure: 'a client does not exist' },
  'clients remove': {
    success: 'every client is removed',
    failure: 'a client does not exist',
    usage: 'usage or configuration error, as a removal that requires --yes',
  },
  'clients export': { success: 'every record is exported', failure: 'a value in Redis is not a record and is skipped' },
  'clients schema': {},
  'resources list': {},
  'resources show': { failure: 'the resource does not exist, or its record is invalid' },
  'resources remove': { success: 'every resource is removed', failure: 'a resource does not exist' },
  'tokens revoke': { success: 'revoked', failure: 'not revoked: run it again' },
  'tokens revoked': {},
  'keys list': {},
  'keys create': {},
  'keys export': {},
  'keys rotate': {},
  'keys retire': {},
  'keys reseal': {},
};

const COLUMNS = 80;
const INDENTATION = ' '.repeat(7);

/** @param names of a command, after `countersign` @returns a part of its help; undefined if it is a group of commands */
export function exitCodesHelp(names: readonly string[]): string | undefined {
  const codes = commands[names.join(' ')];
  if (!codes) return undefined;
  const lines = [
    [exitCodes.success, codes.success ?? 'success'],
    [exitCodes.failure, failureOf(codes)],
    [exitCodes.usage, codes.usage ?? 'usage or configuration error'],
    ...(codes.findings === undefined ? [] : [[exitCodes.findings, codes.findings]]),
    ...(codes.isStopped ? [] : [[130, 'after Ctrl-C']]),
  ].map(([code, meaning]) => `  ${String(code).padEnd(3)}  ${wrap(String(meaning))}`);
  return `\nExit codes:\n${lines.join('\n')}`;
}

function failureOf({ failure }: CommandCodes): string {
  return failure === undefined ? 'failure' : `${failure}; or another failure`;
}

function wrap(text: string): string {
  let column = INDENTATION.length;
  return text
    .split(' ')
    .map((word, index) => {
      const fits = column + 1 + word.length <= COLUMNS;
      column = index === 0 || !fits ? INDENTATION.length + word.length : column + 1 + word.length;
      if (index === 0) return word;
      return fits ? ` ${word}` : `\n${INDENTATION}${word}`;
    })
    .join('');
}

/** The table of the commands whose codes mean more than success and failure, in Markdown, for docs/operate.md. */
export function exitCodesReference(): string {
  const rows = Object.entries(commands)
    .filter(([, codes]) => Object.keys(codes).length > 0)
    .map(([names, { success: done = 'success', failure: failed = '', findings: found = '' }]) => {
      return `| \`${names}\` | ${done} | ${failed} | ${found} |`;
    });
  const { success, failure, findings } = exitCodes;
  return [`| command | ${success} | ${failure} | ${findings} |`, '| --- | --- | --- | --- |', ...rows].join('\n');
}

import type { Command } from 'commander';
import { environment } from '../../environment.ts';
import { addRedisOptions, prepareEnvironment } from '../clients/environment-options.ts';
import { clientsFormatOption, type ListFormat, listFormatOption } from '../clients/options.ts';
import type { RevokeOptions } from './revoke.ts';

/** Adds the commands that revoke tokens in Redis, and list what is revoked. Each is loaded when it runs. */
export function tokensProgram(program: Command): void {
  const tokens = program
    .command('tokens')
    .description('revoke tokens, and list what is revoked')
    .hook('preAction', prepareEnvironment);
  addRevoke(tokens);
  addRevoked(tokens);
  addRedisOptions(tokens.commands);
}

const redisHelp = `
Set COUNTERSIGN_REDIS_URL to the URL of the Redis of the servers.`;

const revokeHelp = `
Exactly one of --client, --resource and --jti is required. The edge and
/introspect reject the tokens within a second. APIs that verify tokens by
themselves accept them until they expire. A revocation cannot be undone.
${redisHelp}`;

function addRevoke(tokens: Command): void {
  tokens
    .command('revoke')
    .description('revoke one token, or those of a client or for a resource')
    .option('--client <id>', 'every token of this client that was issued until now, or until --before')
    .option('--resource <name>', 'the same for this resource: its name, or the URI that its tokens have in aud')
    .option('--jti <jti>', 'the token with this jti, which audit logs contain')
    .option('--before <time>', 'last moment of issue that is revoked, RFC 3339: 2026-11-30T08:00:00Z')
    .addOption(clientsFormatOption())
    .addHelpText('after', revokeHelp)
    .action(async (options: RevokeOptions) => {
      const { revokeTokens } = await import('./revoke.ts');
      process.exitCode = await revokeTokens(environment, options);
    });
}

const revokedHelp = `
Revocations are removed once every token that they concern has expired.
${redisHelp}`;

function addRevoked(tokens: Command): void {
  tokens
    .command('revoked')
    .alias('ls')
    .description('list the revocations that are in force, the latest first')
    .addOption(listFormatOption())
    .addHelpText('after', revokedHelp)
    .action(async ({ output }: { readonly output: ListFormat }) => {
      const { listRevoked } = await import('./revoked.ts');
      process.exitCode = await listRevoked(environment, output);
    });
}

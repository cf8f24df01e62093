import type { Command } from 'commander';
import { environment } from '../../environment.ts';
import { addRedisOptions, prepareEnvironment } from '../clients/environment-options.ts';
import { type ClientsFormat, clientsFormatOption, listFormatOption, redisHelp } from '../clients/options.ts';
import type { ListResourcesOptions } from './list.ts';

/** Adds the commands that list, print and remove resources in Redis. `clients apply` writes them, beside the clients. */
export function resourcesProgram(program: Command): void {
  const resources = program
    .command('resources')
    .description('manage the resources behind the edge; `clients apply` writes them')
    .hook('preAction', prepareEnvironment);
  addList(resources);
  addShow(resources);
  addRemove(resources);
  addRedisOptions(resources.commands);
}

function addList(resources: Command): void {
  resources
    .command('list')
    .alias('ls')
    .description('list the resources in Redis')
    .argument('[pattern]', 'only resources whose name matches this Redis glob-style pattern: * ? [a-z]')
    .option('--invalid', 'only resources whose record is invalid', false)
    .addOption(listFormatOption())
    .addHelpText('after', redisHelp)
    .action(async (pattern: string | undefined, options: ListResourcesOptions) => {
      const { listResourcesInRedis } = await import('./list.ts');
      process.exitCode = await listResourcesInRedis(environment, pattern, options);
    });
}

interface OutputOption {
  readonly output: ClientsFormat;
}

function addShow(resources: Command): void {
  resources
    .command('show')
    .alias('get')
    .description('print a record and how the server interprets it')
    .argument('<name>', 'the resource to print')
    .addOption(clientsFormatOption())
    .addHelpText('after', redisHelp)
    .action(async (name: string, { output }: OutputOption) => {
      const { showResource } = await import('./show.ts');
      process.exitCode = await showResource(environment, name, output);
    });
}

function addRemove(resources: Command): void {
  resources
    .command('remove')
    .aliases(['delete', 'rm'])
    .description('remove resources from Redis')
    .argument('<name...>', 'the name of each resource')
    .addOption(clientsFormatOption())
    .addHelpText('after', redisHelp)
    .action(async (names: string[], { output }: OutputOption) => {
      const { removeResources } = await import('./remove.ts');
      process.exitCode = await removeResources(environment, names, output);
    });
}

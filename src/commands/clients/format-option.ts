import { Option } from 'commander';

/** `--output` of the commands on the clients in Redis. */
export function clientsFormatOption(): Option {
  const formats = ['table', 'json', 'yaml'];
  return new Option('-o, --output <format>', 'for people or for programs').choices(formats).default('table');
}

/** The end of the help of each of them. */
export const redisHelp = `
COUNTERSIGN_REDIS_URL says where the clients are. More: docs/clients.md`;

import { documentationUrl } from '../documentation.ts';

/** The page of a command or a group of commands in `docs/`, by its names after `countersign`. */
const pages: Readonly<Record<string, string>> = {
  '': 'README.md',
  serve: 'configuration.md',
  dev: 'development.md',
  clients: 'manage-clients.md',
  'clients check': 'clients.md',
  'clients schema': 'clients.md',
  'clients import identityserver': 'move-from-identityserver.md',
  'clients import keycloak': 'move-from-keycloak.md',
  resources: 'manage-clients.md',
  token: 'troubleshooting.md',
  tokens: 'tokens.md',
  keys: 'keys.md',
  certificate: 'clients.md',
  rejections: 'rejections.md',
  doctor: 'doctor.md',
  completion: 'operate.md',
};

/**
 * The last line of the help of a command: its page, or that of its group.
 *
 * @param names of the command, after `countersign`
 */
export function documentationHelp(names: readonly string[]): string {
  const page = pages[names.join(' ')];
  return page === undefined ? documentationHelp(names.slice(0, -1)) : `\nDocumentation: ${documentationUrl(page)}`;
}

/** Examples in the help, by the names of a command after `countersign`. A group has those of its usual order of use. */
const examples: Readonly<Record<string, readonly string[]>> = {
  '': ['countersign dev', 'countersign serve --check', 'countersign help clients apply'],
  clients: [
    'countersign clients plan clients.yaml',
    'countersign clients apply clients.yaml',
    'countersign clients ls',
  ],
  'clients import': ['countersign clients import identityserver appsettings.json --out a.yaml'],
  resources: ['countersign resources list', 'countersign clients apply resources.yaml'],
  tokens: ['countersign tokens revoke --client billing', 'countersign tokens revoked'],
  keys: ['countersign keys list', 'countersign keys rotate'],
  serve: ['countersign serve --check', 'countersign serve'],
  dev: ['countersign dev --port 9443'],
  token: [
    'countersign token --url https://auth.example --cert client.p12',
    'countersign token --url https://auth.example --cert client.p12 --raw',
    'countersign token --url https://auth.example --cert client.pem --scope a:read',
  ],
  certificate: ['countersign certificate client.pem', 'countersign certificate client.pem --ca ca.pem --crl crl.pem'],
  completion: ['countersign completion bash > /etc/bash_completion.d/countersign'],
  rejections: ['countersign rejections', 'countersign rejections subject_dn_mismatch'],
  doctor: [
    'countersign doctor --url https://auth.example',
    'countersign doctor --url https://auth.example --cert client.p12',
  ],
  'clients check': ['countersign clients check clients.yaml', 'countersign clients check clients/ -o json'],
  'clients import identityserver': [
    'countersign clients import identityserver appsettings.json --out a.yaml',
    'countersign clients import identityserver appsettings.json production.json',
    'countersign clients import identityserver configuration.db --out a.yaml',
    'countersign clients import identityserver --query postgresql > query.sql',
  ],
  'clients import keycloak': ['countersign clients import keycloak realm.json --out clients.yaml'],
  'clients plan': [
    'countersign clients plan clients/',
    'countersign clients plan clients/ --prune --detailed-exitcode',
  ],
  'clients apply': ['countersign clients apply clients/', 'countersign clients apply clients/ --prune --yes'],
  'clients list': ["countersign clients list 'billing-*'", 'countersign clients list --disabled -o json'],
  'clients show': ['countersign clients show billing', 'countersign clients show --certificate client.pem'],
  'clients disable': ['countersign clients disable billing'],
  'clients enable': ['countersign clients enable billing'],
  'clients remove': [
    'countersign clients remove billing orders',
    'countersign clients remove billing --settings prod.env',
  ],
  'clients export': ['countersign clients export --out clients.yaml', 'countersign clients export -o jsonl'],
  'clients schema': ['countersign clients schema > clients.schema.json'],
  'resources list': ['countersign resources list', 'countersign resources list --invalid'],
  'resources show': ['countersign resources show orders'],
  'resources remove': ['countersign resources remove orders'],
  'tokens revoke': [
    'countersign tokens revoke --client billing',
    'countersign tokens revoke --resource orders --before 2026-11-30T08:00:00Z',
  ],
  'tokens revoked': ['countersign tokens revoked'],
  'keys list': ['countersign keys list', 'countersign keys list --dir keys/'],
  'keys create': ['countersign keys create --dir keys/ --from 2026-11-01', 'countersign keys create --key key.pem'],
  'keys export': ['countersign keys export --public > jwks.json'],
  'keys rotate': ['countersign keys rotate', 'countersign keys rotate --now'],
  'keys retire': ['countersign keys retire 2026-11-01-ES256', 'countersign keys retire 2026-11-01-ES256 --now'],
  'keys reseal': ['countersign keys reseal'],
};

/** @param names of a command, after `countersign` @returns the end of its help; undefined for `help` */
export function examplesHelp(names: readonly string[]): string | undefined {
  const lines = examples[names.join(' ')];
  return lines && `\nExamples:\n  ${lines.join('\n  ')}`;
}

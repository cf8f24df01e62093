/**
 * The ACL rules for `countersign clients`, `resources`, `tokens` and `keys` in docs/manage-clients.md, with a password, and `prefix` in place of
 * `countersign:`. An auditor can plan, list, show and export.
 */
export function administratorAclRule(
  name: 'administrator' | 'auditor',
  prefix: string,
  { password, isCluster = false }: { readonly password: string; readonly isCluster?: boolean },
): string {
  const mayWrite = name === 'administrator';
  const names = [
    'client:*',
    'resource:*',
    'identity:*',
    'audience:*',
    'registry',
    'revocations',
    'keyring',
    ...(mayWrite ? ['apply', 'revoked:*'] : []),
  ];
  const keys = names.map((key) => `${mayWrite ? '~' : '%R~'}${prefix}${key}`);
  const channels = mayWrite ? [`&${prefix}changes`] : [];
  const reading = 'hello auth ping info select scan type get smembers xrange time eval_ro evalsha_ro';
  const writing = mayWrite ? ' eval evalsha set del sadd srem xadd xdel publish' : '';
  const ofCluster = isCluster ? ' cluster|slots cluster|info readonly asking client|setname' : '';
  const commands = `${reading}${writing}${ofCluster}`.split(' ').map((command) => `+${command}`);
  return [name, 'on', `>${password}`, 'resetchannels', '-@all', ...keys, ...channels, ...commands].join(' ');
}

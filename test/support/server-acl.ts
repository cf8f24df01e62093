/** The ACL rule of the servers in docs/redis.md, with a password, and `prefix` in place of `countersign:`. */
export function serverAclRule(prefix: string, password: string, isCluster = false): string {
  const read = ['client:*', 'registry'].map((name) => `%R~${prefix}${name}`);
  const written = ['revocations', 'revoked:*'].map((name) => `~${prefix}${name}`);
  const channels = ['&__redis__:invalidate', `&${prefix}changes`];
  const commands = 'hello auth ping info get pttl set xrange xadd xdel subscribe client|id client|tracking';
  const ofCluster = 'cluster|slots cluster|info readonly asking client|setname';
  const allowed = `${commands}${isCluster ? ` ${ofCluster}` : ''}`.split(' ').map((command) => `+${command}`);
  return ['server', 'on', `>${password}`, 'resetchannels', '-@all', ...read, ...written, ...channels, ...allowed].join(
    ' ',
  );
}

/** What docs/redis.md adds to the rule of the servers for CRLs from URLs, with `prefix` in place of `countersign:`. */
export function crlAclRules(prefix: string): string {
  return `~${prefix}crl:* +hget +hmget +hset +expire +multi +exec +eval +evalsha +set +get +del +type`;
}

/** What docs/redis.md adds to the rule of the servers for an edge, with `prefix` in place of `countersign:`. */
export function edgeAclRules(prefix: string): string {
  return `%R~${prefix}identity:* %R~${prefix}resource:* +smembers +scard`;
}

/** What docs/redis.md adds to the rule of the servers for resources by audience, with `prefix` in place of `countersign:`. */
export function audienceAclRules(prefix: string): string {
  return `%R~${prefix}audience:* %R~${prefix}resource:* +smembers +scard`;
}

/** What docs/redis.md adds to the rule of the servers for a keyring in Redis, with `prefix` in place of `countersign:`. */
export function keyringAclRules(prefix: string): string {
  return `~${prefix}keyring +get +set +type +time +eval +evalsha +eval_ro +evalsha_ro`;
}

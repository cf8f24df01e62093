import { administratorAclRule } from '../support/administrator-acl.ts';
import { serverAclRule } from '../support/server-acl.ts';
import { type Manifest, type PartOptions, partTemplate, secret, serviceOf } from './pods.ts';

const PREFIX = 'countersign:';

export interface RedisPasswords {
  readonly server: string;
  readonly administrator: string;
}

/**
 * A Redis that keeps its data when its Pod is replaced, with the two users of docs/redis.md.
 *
 * @param directory of the first node, for the data
 */
export function redisManifests(namespace: string, directory: string, passwords: RedisPasswords): Manifest[] {
  const name = 'redis';
  const options: PartOptions = {
    namespace,
    name,
    command: ['/usr/bin/redis-server', '/etc/redis/redis.conf'],
    port: 6379,
    volumes: [
      { name: 'configuration', mountPath: '/etc/redis' },
      { name: 'data', mountPath: '/data' },
    ],
  };
  const configuration = [
    'protected-mode no',
    'dir /data',
    'appendonly yes',
    'user default off',
    `user ${serverAclRule(PREFIX, passwords.server)}`,
    `user ${administratorAclRule('administrator', PREFIX, { password: passwords.administrator })}`,
  ];
  const spec = {
    replicas: 1,
    serviceName: name,
    selector: { matchLabels: { app: name } },
    template: partTemplate(options, [{ name: 'configuration', secret: { secretName: 'redis-configuration' } }]),
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim }],
  };
  const url = (user: keyof RedisPasswords) => `redis://${user}:${passwords[user]}@${name}.${namespace}:6379`;
  return [
    localVolume(directory),
    secret(namespace, 'redis-configuration', { 'redis.conf': `${configuration.join('\n')}\n` }),
    secret(namespace, 'redis-server', { url: url('server') }),
    secret(namespace, 'redis-administrator', { url: url('administrator') }),
    serviceOf(options),
    { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { namespace, name }, spec },
  ];
}

const claim = {
  storageClassName: 'local',
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: '100Mi' } },
};

function localVolume(path: string): Manifest {
  const hostname = { key: 'kubernetes.io/hostname', operator: 'In', values: ['n1'] };
  const spec = {
    storageClassName: claim.storageClassName,
    accessModes: claim.accessModes,
    capacity: claim.resources.requests,
    local: { path },
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } },
  };
  return { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'redis-data' }, spec };
}

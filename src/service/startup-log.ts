import type { Config } from '../config.ts';
import { describeListenAddress } from '../http/listen-address.ts';
import type { Log } from '../observability/log.ts';
import type { ClientsConfig } from '../settings/clients.ts';
import { describeEffectiveConfig } from '../settings/describe.ts';
import type { KeyringConfig } from '../settings/signing-key.ts';
import { describeUnknownSetting } from '../settings/unknown-settings.ts';
import { version } from '../version.ts';
import type { Dependencies } from './dependencies.ts';

/** The first line of the log, before anything is opened: versions and configuration. Then a line for each warning. */
export function logStarting(config: Config, log: Log): void {
  const { issuer, terminator, warnings, unknownSettings, effectiveSettings: settings } = config;
  const node_version = process.versions.node;
  const fields = { event: 'starting', version, node_version, issuer, terminator: terminator.name, settings };
  log.info(fields, `countersign ${version} on Node.js ${node_version}: ${describeConfig(config).join('; ')}`);
  for (const warning of warnings) log.warn({ event: 'setting_warning' }, warning);
  for (const setting of unknownSettings) {
    log.warn({ event: 'unknown_setting', ...setting }, describeUnknownSetting(setting));
  }
}

/** What was found in the stores that the configuration names. */
export function logOpened({ registry, keyring }: Pick<Dependencies, 'registry' | 'keyring'>, log: Log): void {
  log.info({ event: 'opened' }, `clients: ${registry.description}; signing with ${keyring.description}`);
}

/** The effective configuration in clauses. */
export function describeConfig(config: Config): readonly string[] {
  const { edge, listen, operationsListen, clients, keyring } = config;
  const listeners = [
    describeListenAddress(listen),
    ...(edge ? [`edge ${describeListenAddress(edge.listen)}`] : []),
    ...(operationsListen ? [`operations ${describeListenAddress(operationsListen)}`] : []),
  ];
  return [
    describeEffectiveConfig(config),
    ...(edge ? [`edge: ${describeEffectiveConfig({ ...config, ...edge })}`] : []),
    `clients: ${describeStore(clients)}`,
    `keys: ${describeKeySource(keyring)}`,
    `listeners: ${listeners.join(', ')}`,
  ];
}

function describeStore(clients: ClientsConfig): string {
  return clients.store === 'memory' ? clients.file : `Redis at ${clients.address.description}`;
}

function describeKeySource(keyring: KeyringConfig): string {
  switch (keyring.source) {
    case 'file':
      return `COUNTERSIGN_${keyring.setting}`;
    case 'directory':
      return keyring.path;
    case 'redis':
      return 'the keyring in Redis';
  }
}

import { changeRecord } from '../../administration/change-record.ts';
import type { JsonObject } from '../../administration/stored-records.ts';
import type { Environment } from '../../settings/settings.ts';
import { administer } from './administer.ts';
import { eachClient } from './each-client.ts';
import type { ClientsFormat } from './plan-report.ts';

export interface EnableCommandOptions {
  readonly isEnabled: boolean;
  readonly output: ClientsFormat;
}

/**
 * `countersign clients enable ID…` and `disable ID…`: writes that into their records, and says of each what happened.
 *
 * @returns the exit code: 0, or 1 where one of them is not there or not a record
 * @throws {StartupError} where Redis fails
 */
export function enableClients(
  env: Environment,
  clientIds: readonly string[],
  { isEnabled, output }: EnableCommandOptions,
): Promise<number> {
  const state = isEnabled ? 'enabled' : 'disabled';
  const words = { outcome: state, written: `is ${state} now`, unchanged: `was ${state} already` } as const;
  const change = (record: JsonObject) => (isEnabled ? enabled(record) : disabled(record));
  return administer(env, ({ store, finishing }) =>
    eachClient(clientIds, { words, output, finishing }, (clientId) => changeRecord(store, clientId, change)),
  );
}

function disabled(record: JsonObject): JsonObject | undefined {
  return record.enabled === false ? undefined : { ...record, enabled: false };
}

/** As most files say it: not at all. */
function enabled({ enabled: state, ...others }: JsonObject): JsonObject | undefined {
  return state === undefined || state === true ? undefined : others;
}

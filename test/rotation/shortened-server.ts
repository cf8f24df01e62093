import { readConfig } from '../../src/config.ts';
import { environment } from '../../src/environment.ts';
import { createLog, restoredLine } from '../../src/observability/log.ts';
import { LogOutput } from '../../src/observability/log-output.ts';
import { createLogs } from '../../src/observability/logs.ts';
import { startService } from '../../src/service/service.ts';
import type { Environment } from '../../src/settings/settings.ts';
import type { RotationPolicy } from '../../src/tokens/keyring/key-policy.ts';

/**
 * Runs the server with times of keys that no setting permits, and with a clock that is wrong: the replicas of the campaigns
 * run this file from the source, since what ships has no such options.
 */
async function serve({ SHORTENED_CLOCK_OFFSET = '0', SHORTENED_KEY_POLICY = '{}', ...env }: Environment) {
  const { now } = Date;
  const offset = Number(SHORTENED_CLOCK_OFFSET);
  Date.now = () => now() + offset;
  const { keyring, ...config } = readConfig(env);
  const policy: RotationPolicy = JSON.parse(SHORTENED_KEY_POLICY);
  const shortened = keyring.source === 'redis' ? { ...keyring, policy } : keyring;
  const output = new LogOutput({ restoredLine, onOutage: () => {} });
  process.on('exit', () => output.flush());
  const log = createLog((line) => output.append(line));
  const service = await startService({ ...config, keyring: shortened }, createLogs({ log, decisions: [output] }));
  process.once('SIGTERM', () => void service.close());
}

await serve(environment);

import type { Environment } from '../../settings/settings.ts';
import { counted } from '../../text.ts';
import { changeKeyring, resealedKeyring } from '../../tokens/keyring/redis/change-keyring.ts';
import { jsonText, writeTexts } from '../output/document.ts';
import type { OutputFormat } from '../output/text.ts';
import { withAuditedKeyring } from './audited-keyring.ts';
import { readRedisLocation } from './keys-config.ts';

/**
 * `countersign keys reseal`: seals every private key with the first key-encryption key.
 *
 * @returns the exit code: 0
 * @throws {OperatorError} with every problem
 */
export async function resealKeys(env: Environment, output: OutputFormat): Promise<number> {
  const location = readRedisLocation(env);
  const { before, after, name } = await withAuditedKeyring(env, location, async (options) => {
    const changed = await changeKeyring(options, (keyring) => resealedKeyring(keyring, options.sealer));
    return { ...changed, name: options.sealer.names[0] };
  });
  const sealed = new Set(before.keys.map((key) => key.sealed));
  const count = after.keys.filter((key) => !sealed.has(key.sealed)).length;
  const text =
    output === 'json'
      ? jsonText({ resealed: count, key_encryption_key: name })
      : `${counted(count, 'private key')} sealed anew; every one is sealed with the key-encryption key ${name}`;
  await writeTexts([`${text}\n`]);
  return 0;
}

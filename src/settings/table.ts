import { chainSettings } from './client-ca.ts';
import { cacheSettings } from './client-cache.ts';
import { clientsFileSettings } from './clients.ts';
import { crlSettings } from './crl.ts';
import { edgeSettings } from './edge.ts';
import { loggingSettings } from './logging.ts';
import { proxyCertificateSettings } from './proxy-certificate.ts';
import { redisSettings, redisTlsSettings } from './redis.ts';
import { registrationSettings, resourceSettings } from './registration-policy.ts';
import { serverSettings } from './server.ts';
import { serverCertificateSettings } from './server-certificate.ts';
import type { Setting } from './setting.ts';
import { signingKeySettings } from './signing-key.ts';
import { terminatorSettings } from './terminator.ts';
import { trustedProxySettings } from './trusted-proxy.ts';

/** Every setting, in the order of the documentation. Each subject defines its own; a new setting is one entry there. */
export const allSettings: readonly Setting[] = [
  serverSettings,
  serverCertificateSettings,
  loggingSettings,
  edgeSettings,
  resourceSettings,
  terminatorSettings,
  trustedProxySettings,
  proxyCertificateSettings,
  chainSettings,
  registrationSettings,
  crlSettings,
  signingKeySettings,
  clientsFileSettings,
  redisSettings,
  redisTlsSettings,
  cacheSettings,
].flatMap((settings): readonly Setting[] => Object.values(settings));

/** The variables of a setting, the one to recommend first. A secret has two: its file, and the secret itself. */
export function variablesOf({ name, isSecret }: Setting): readonly [string, ...string[]] {
  return isSecret ? [`${name}_FILE`, name] : [name];
}

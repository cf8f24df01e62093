import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { applyPlan } from '../../src/administration/apply-plan.ts';
import { removeRecord } from '../../src/administration/change-record.ts';
import { makePlan } from '../../src/administration/plan.ts';
import type { PresentedCertificate } from '../../src/clients/methods/method.ts';
import { authenticateByCertificate } from '../../src/edge/authenticate-by-certificate.ts';
import { Denial } from '../../src/edge/denial.ts';
import { OAuthError } from '../../src/oauth/oauth-error.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { clientKey } from '../../src/resources/record-types.ts';
import { selfSigned } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { defaultPolicy } from '../support/policy.ts';
import { openStore } from '../support/record-store.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { openRedisRegistry } from '../support/redis-registry.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const [own, other] = [selfSigned(), selfSigned()];
const presented: PresentedCertificate = {
  kind: 'certificate',
  certificate: parseClientCertificate(own.der),
  chain: { verified: false, code: 'path_issuer_unknown', reason: 'self-signed' },
};
const client = (client_id: string, { thumbprint } = own, more: object = {}) => ({
  client_id,
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ thumbprint }],
  ...more,
});

/** A registry that serves the edge, an administrator, and whose certificate it is at the edge. */
async function place() {
  const prefix = keyPrefix();
  const { store, close, redis } = await openStore(prefix);
  const { registry } = await openRedisRegistry(redisUrl(), { prefix, servesEdge: true });
  onTestFinished(async () => {
    close();
    await registry.close();
  });
  const options = { policy: defaultPolicy, now: Date.now(), progress: () => {}, prune: false };
  const apply = async (...records: object[]) => {
    const file = join(temporaryDirectory(), 'clients.json');
    writeFileSync(file, JSON.stringify(records));
    const plan = await makePlan([file], store, options);
    return { plan, applied: await applyPlan(plan.changes, store, () => {}) };
  };
  const owner = () =>
    authenticateByCertificate(presented, registry, Date.now()).then(
      ({ client: { clientId } }) => clientId,
      (error: unknown) => (error instanceof Denial || error instanceof OAuthError ? error.code : String(error)),
    );
  const becomes = (expected: string) =>
    eventually(
      async () => (await owner()) === expected,
      () => expected,
    );
  return { prefix, redis, store, apply, owner, becomes };
}

describeWith(['redis-server'], 'a certificate at the edge, with Redis and a warm cache', () => {
  test('is rejected while two clients share it, and accepted before and after', async () => {
    const { apply, owner, becomes, store } = await place();
    await apply(client('a'));
    await becomes('a');
    const { plan } = await apply(client('b'));
    expect(plan.shared.lines()).toEqual([expect.stringMatching(/is shared by 2 clients: b \(.*, a \(in Redis\)/)]);
    await becomes('certificate_ambiguous');
    // Another certificate of the same client: unique again.
    await apply(client('b', other));
    await becomes('a');
    await apply(client('b'), client('c'));
    await becomes('certificate_ambiguous');
    await removeRecord(store, clientKey('c'), defaultPolicy);
    await removeRecord(store, clientKey('a'), defaultPolicy);
    await becomes('b');
    await apply(client('a'), client('b', own, { enabled: false }));
    await becomes('a');
    await apply(client('b'));
    await becomes('certificate_ambiguous');
    expect(await owner()).toBe('certificate_ambiguous');
  });

  test('is never that of one client once the record of the second one is in force', async () => {
    const { apply, owner, becomes } = await place();
    await apply(client('a'));
    await becomes('a');
    for (let round = 0; round < 10; round += 1) {
      await apply(client('b', other));
      await becomes('a');
      const seen: string[] = [];
      const applying = apply(client('b'));
      await eventually(
        async () => seen.push(await owner()) > 0 && seen.at(-1) === 'certificate_ambiguous',
        () => seen.join(),
      );
      await applying;
      for (let check = 0; check < 20; check += 1) seen.push(await owner());
      expect(seen.join(' ')).toMatch(/^(?:a )*(?:certificate_ambiguous ?)+$/);
    }
  });

  test('is shared by a client that was removed while another administrator added it again', async () => {
    const { prefix, redis, store, apply, becomes } = await place();
    await apply(client('a'), client('b'));
    // The other one writes after the record is removed, and before its entries are.
    const removeIndexEntries: typeof store.removeIndexEntries = async (entries) => {
      await apply(client('b'));
      await store.removeIndexEntries(entries);
    };
    await removeRecord({ ...store, removeIndexEntries }, clientKey('b'), defaultPolicy);
    expect((await redis.smembers(`${prefix}identity:thumbprint:${own.thumbprint}`)).sort()).toEqual(['a', 'b']);
    await becomes('certificate_ambiguous');
  });
});

import { eventually } from '../support/eventually.ts';
import type { FaultyRedis } from './fault.ts';
import type { Row } from './fault-row.ts';
import type { IssuedToken, Replicas } from './replicas.ts';

export type Rejections = Pick<Row, 'disabledAfter' | 'revokedAfter'>;

/** How long both replicas take to reject a client after it is disabled, and a token of each after it is revoked. */
export async function rejectAfterChanges(
  writer: Awaited<ReturnType<FaultyRedis['writer']>>,
  replicas: Replicas,
  tokens: readonly IssuedToken[],
): Promise<Rejections> {
  const start = performance.now();
  await Promise.all([
    replicas.write(writer, 'victim', { enabled: false }),
    ...tokens.map(({ revoke }) => revoke(writer)),
  ]);
  const until = async (isRejected: () => Promise<boolean>, what: string) => {
    await eventually(isRejected, () => `${what} is still accepted`, 8_000);
    return performance.now() - start;
  };
  const disabled = replicas.requesters.map((replica) =>
    until(async () => (await replica('victim')).status === 400, 'the disabled client'),
  );
  const revoked = tokens.map(({ isRevoked }) => until(isRevoked, 'the revoked token'));
  const [disabledAfter, revokedAfter] = await Promise.all([Promise.all(disabled), Promise.all(revoked)]);
  return { disabledAfter: Math.max(...disabledAfter), revokedAfter: Math.max(...revokedAfter) };
}

import type { RedisAccess } from './connection-options.ts';
import { explainProblem } from './explain-problem.ts';

/** Says in words what is wrong with a connection. */
export type Explain = (error: Error) => string;

/** Says what {@link explainProblem} says, without the passwords of the URL: what answers there may repeat what it was sent. */
export function explainFor({ address }: Pick<RedisAccess, 'address'>): Explain {
  const ofSentinels = address.kind === 'sentinel' ? [address.sentinelCredentials.password] : [];
  const passwords = [address.credentials.password, ...ofSentinels].filter((each) => each !== undefined);
  return (error) => {
    const explanation = explainProblem(error, address);
    return passwords.reduce((text, password) => text.replaceAll(password, '(password)'), explanation);
  };
}

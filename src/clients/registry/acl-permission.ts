import { AclDeniedError, type CommandExecutor, type GuardedRedis } from '../../redis/guarded-redis.ts';

/**
 * Called on changes.
 *
 * @param rule the part of the ACL that a feature needs
 * @param problem why Redis denies a command; undefined once it permits it
 */
export type PermissionHandler = (rule: string, problem: string | undefined) => void;

/**
 * Executes commands that the ACL may deny, as {@link GuardedRedis.executeOptional}. Reports when it denies one, and when it
 * permits one again.
 *
 * @param rule the part of the ACL that the commands need
 */
export function reportingDenials(
  { executeOptional }: Pick<GuardedRedis, 'executeOptional'>,
  rule: string,
  onPermission: PermissionHandler,
): CommandExecutor {
  let isDenied = false;
  return async (command) => {
    try {
      const reply = await executeOptional(command);
      if (isDenied) onPermission(rule, undefined);
      isDenied = false;
      return reply;
    } catch (error) {
      if (error instanceof AclDeniedError && !isDenied) {
        isDenied = true;
        onPermission(rule, error.message);
      }
      throw error;
    }
  };
}

/** The base64url SHA-256 of a key (RFC 7638 §3) that begins with a hyphen, as one of 64 does. */
const KID_WITH_HYPHEN = /^-[\w-]{42}$/;

/**
 * Moves a `kid` that begins with a hyphen behind `--` in the arguments of `keys retire`: commander would parse it as options.
 *
 * @param args of the command line, without the program
 */
export function withKidAsOperand(args: readonly string[]): readonly string[] {
  const [group, command] = args;
  if (group !== 'keys' || command !== 'retire' || args.includes('--')) return args;
  const isKid = (arg: string) => KID_WITH_HYPHEN.test(arg);
  return args.some(isKid) ? [...args.filter((arg) => !isKid(arg)), '--', ...args.filter(isKid)] : args;
}

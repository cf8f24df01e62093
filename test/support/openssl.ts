import { programPath } from './program-path.ts';
import { runProgram } from './run-program.ts';

/**
 * Runs the real `openssl` and resolves to its standard output.
 * @throws {Error} with its output when it exits with a code other than 0
 */
export async function openssl(args: readonly string[], input: string | Uint8Array = ''): Promise<string> {
  return (await opensslBytes(args, input)).toString();
}

/** Like {@link openssl}, for binary output. */
async function opensslBytes(args: readonly string[], input: string | Uint8Array = ''): Promise<Buffer> {
  const { code, stdout, stderr } = await runProgram(programPath('openssl'), args, { input });
  if (code !== 0) throw new Error(`openssl ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** `x5t#S256` computed by OpenSSL, independently of `src`: base64url SHA-256 of the certificate's DER. */
export async function opensslThumbprint(pem: string): Promise<string> {
  const der = await opensslBytes(['x509', '-outform', 'DER'], pem);
  return (await opensslBytes(['dgst', '-sha256', '-binary'], der)).toString('base64url');
}

import { type HttpResponse, httpResponse } from './http-response.ts';
import { programPath } from './program-path.ts';
import { runProgram } from './run-program.ts';

/**
 * Runs the real `curl` for one URL and reads the last response. Default time limit: 10 s.
 * @throws {Error} with curl's own line and exit code, when the connection or the handshake fails
 */
export async function curl(args: readonly string[]): Promise<HttpResponse> {
  // The sizes tell where the headers end: a body may look like headers, and a response may follow a `100 Continue`.
  const sizes = ['--write-out', '%{stderr}\n%{size_header}'];
  const always = ['--disable', '--silent', '--show-error', '--include', '--max-time', '10', ...sizes];
  const { code, stdout, stderr } = await runProgram(programPath('curl'), [...always, ...args]);
  const lines = stderr.split('\n');
  const headerSize = Number(lines.pop());
  if (code !== 0) throw new Error(`curl ${args.join(' ')}: exit code ${code}\n${lines.join('\n')}`);
  const heads = stdout.toString('latin1', 0, headerSize).split('\r\n\r\n');
  const lastHead = heads.findLast((head) => head !== '') ?? '';
  return httpResponse(lastHead, stdout.subarray(headerSize));
}

import { type HttpResponse, httpResponse } from './http-response.ts';
import { programPath } from './program-path.ts';
import { runProgram } from './run-program.ts';

/**
 * Runs the real `curl` for one URL and reads the last response. The time limit is 60 s.
 *
 * @throws {Error} with the message and exit code of curl, if the connection or the handshake fails
 */
export async function curl(args: readonly string[]): Promise<HttpResponse> {
  // The header size delimits the headers: a body may look like headers, and a response may follow a `100 Continue`.
  const sizes = ['--write-out', '%{stderr}\n%{size_header}'];
  const always = ['--disable', '--silent', '--show-error', '--include', '--max-time', '60', ...sizes];
  const { code, stdout, stderr } = await runProgram(programPath('curl'), [...always, ...args]);
  const lines = stderr.split('\n');
  const headerSize = Number(lines.pop());
  if (code !== 0) throw new Error(`curl ${args.join(' ')}: exit code ${code}\n${lines.join('\n')}`);
  const heads = stdout.toString('latin1', 0, headerSize).split('\r\n\r\n');
  const lastHead = heads.findLast((head) => head !== '') ?? '';
  return httpResponse(lastHead, stdout.subarray(headerSize));
}

const script = `
import fcntl, os, pty, struct, subprocess, sys, termios
terminal, end = pty.openpty()
fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0))
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=end)
os.close(end)
try:
    while octets := os.read(terminal, 65536):
        sys.stdout.buffer.write(octets)
        sys.stdout.flush()
except OSError:
    pass  # Linux says so that nobody writes any more.
sys.exit(child.wait())
`;

/**
 * What goes before a command, so that its standard error is a terminal of so many columns; whatever it writes there comes
 * out of standard output. Needs python3.
 */
export function onTerminal(columns: number): readonly string[] {
  return ['python3', '-c', script, String(columns)];
}

const script = `
import fcntl, os, pty, struct, subprocess, sys, termios
terminal, end = pty.openpty()
fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0))
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=end)
os.close(end)
try:
    while data := os.read(terminal, 65536):
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
except OSError:
    pass  # EIO on Linux: the other end is closed.
sys.exit(child.wait())
`;

/**
 * A command prefix that connects the standard error of a command to a terminal with this many columns, and copies it to
 * standard output. It needs python3.
 */
export function onTerminal(columns: number): readonly string[] {
  return ['python3', '-c', script, String(columns)];
}

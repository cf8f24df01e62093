import { styleText } from 'node:util';
import { printable } from '../text.ts';
import type { LineFormat, LogLevel } from './log.ts';

const colors = { info: 'green', warn: 'yellow', error: 'red' } as const satisfies Record<LogLevel, string>;

/**
 * Renders an event for humans: local time, level, message, and the fields that have a value. Terminal controls in them
 * are escaped.
 */
export function prettyLine({ hasColors }: { readonly hasColors: boolean }): LineFormat {
  const style = (name: 'dim' | 'green' | 'yellow' | 'red', text: string) =>
    hasColors ? styleText(name, text, { validateStream: false }) : text;
  return (level, fields, message) => {
    const present = Object.entries(fields).filter(([, value]) => value !== undefined);
    const texts = present.map(([name, value]) => `${style('dim', `${name}=`)}${valueText(value)}`);
    const time = style('dim', localTime(new Date()));
    return `${[time, style(colors[level], level.padEnd(5)), printable(message), ...texts].join(' ')}\n`;
  };
}

/** As strings are, if they are one word; otherwise JSON. */
function valueText(value: unknown): string {
  if (typeof value === 'string' && /^[\w:/.@=+-]+$/.test(value)) return value;
  return printable(JSON.stringify(value));
}

/** `14:03:59.123` */
function localTime(time: Date): string {
  return `${time.toTimeString().slice(0, 8)}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

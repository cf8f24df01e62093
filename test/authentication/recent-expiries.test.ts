import { expect, test } from 'vitest';
import { RecentExpiries } from '../../src/authentication/recent-expiries.ts';

const HOUR = 3_600_000;
const noon = Date.UTC(2026, 0, 10, 12, 30);
const inDays = (days: number) => noon + days * 24 * HOUR;

test('the earliest expiry is that of the certificate that expires first', () => {
  const expiries = new RecentExpiries();
  expect(expiries.earliest(noon)).toBeUndefined();
  expiries.add(inDays(30), noon);
  expiries.add(inDays(10), noon + 1);
  expiries.add(inDays(20), noon + 2);
  expect(expiries.earliest(noon + 3)).toBe(inDays(10));
});

test('the earliest expiry is found although another hour has a later one', () => {
  const expiries = new RecentExpiries();
  expiries.add(inDays(10), noon);
  expiries.add(inDays(20), noon + HOUR);
  expect(expiries.earliest(noon + 2 * HOUR)).toBe(inDays(10));
});

test('a certificate counts for a day after its last use', () => {
  const expiries = new RecentExpiries();
  expiries.add(inDays(10), noon);
  expiries.add(inDays(20), noon + 12 * HOUR);
  expect(expiries.earliest(noon + 24 * HOUR)).toBe(inDays(10));
  expect(expiries.earliest(noon + 25 * HOUR)).toBe(inDays(20));
  expect(expiries.earliest(noon + 37 * HOUR)).toBeUndefined();
});

test('an hour replaces the one of the day before', () => {
  const expiries = new RecentExpiries();
  expiries.add(inDays(10), noon);
  expiries.add(inDays(20), noon + 25 * HOUR);
  expect(expiries.earliest(noon + 25 * HOUR)).toBe(inDays(20));
});

test('of 100,000 certificates, those before the last day are forgotten', () => {
  const expiries = new RecentExpiries();
  for (let index = 0; index < 100_000; index += 1) expiries.add(inDays(index), noon + index * 1_000);
  // The day begins with an hour, three and a half hours after the first one.
  expect(expiries.earliest(noon + 99_999_000)).toBe(inDays(3.5 * 3_600));
});

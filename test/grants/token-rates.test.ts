import { describe, expect, test } from 'vitest';
import { parseTokenRate } from '../../src/clients/token-rate.ts';
import { TokenRates } from '../../src/grants/token-rates.ts';

const clientOf = (clientId: string, rate?: string) => ({
  clientId,
  tokenRate: rate === undefined ? undefined : parseTokenRate(rate),
});

/** How many of 1,000 tokens the client obtains at that time. */
function obtained(rates: TokenRates, client: ReturnType<typeof clientOf>, now: number): number {
  for (let count = 0; count < 1_000; count++) {
    try {
      rates.take(client, now);
    } catch (error) {
      expect(error).toMatchObject({ code: 'token_rate_exceeded', error: 'temporarily_unavailable', status: 429 });
      return count;
    }
  }
  return 1_000;
}

describe('a client with a token rate', () => {
  test('obtains its tokens at once, and then as many as the time since allows', () => {
    const rates = new TokenRates();
    const client = clientOf('a', '100/s');
    expect([0, 0, 5, 10, 10, 510, 60_000].map((now) => obtained(rates, client, now))).toEqual([
      100, 0, 0, 1, 0, 50, 100,
    ]);
  });

  test('uses up its own tokens alone', () => {
    const rates = new TokenRates();
    obtained(rates, clientOf('a', '5/m'), 0);
    expect([clientOf('b', '5/m'), clientOf('c')].map((client) => obtained(rates, client, 0))).toEqual([5, 1_000]);
  });

  test('obtains none for free while the clock is set back, and the new number when its rate changes', () => {
    const rates = new TokenRates();
    obtained(rates, clientOf('a', '5/s'), 1_000_000);
    expect(obtained(rates, clientOf('a', '5/s'), 0)).toBe(0);
    expect(obtained(rates, clientOf('a', '1/s'), 3_600_000)).toBe(1);
  });

  test.each([
    ['2/s', 1],
    ['6/m', 10],
    ['1/h', 3_600],
  ])('of %s learns to wait for %s seconds', (rate, seconds) => {
    const rates = new TokenRates();
    const client = clientOf('a', rate);
    obtained(rates, client, 0);
    let thrown: unknown;
    try {
      rates.take(client, 0);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ headers: { 'retry-after': String(seconds) } });
  });
});

test.each(['', '0/s', '100', '100/d', '1.5/s', '100 /s', '-1/s', '10000000/s', '100/s ', '1/ss'])(
  '%j is not a token rate',
  (text) => {
    expect(parseTokenRate(text)).toBeUndefined();
  },
);

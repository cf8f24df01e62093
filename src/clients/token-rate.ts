/** How many tokens a client may obtain: that many at once, and as many again in each period. */
export interface TokenRate {
  readonly tokens: number;
  readonly periodMilliseconds: number;
}

const PERIODS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

export const TOKEN_RATE_PATTERN = /^([1-9]\d{0,6})\/([smh])$/;

/** Parses `100/s`, `300/m` or `5000/h`; undefined if it is not such a rate. */
export function parseTokenRate(text: string): TokenRate | undefined {
  const [, tokens, unit] = TOKEN_RATE_PATTERN.exec(text) ?? [];
  if (tokens === undefined || (unit !== 's' && unit !== 'm' && unit !== 'h')) return undefined;
  return { tokens: Number(tokens), periodMilliseconds: PERIODS[unit] };
}

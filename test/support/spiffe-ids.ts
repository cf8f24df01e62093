import fc from 'fast-check';

const characters = 'abcdefghijklmnopqrstuvwxyz0123456789._-';

const trustDomain = fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength: 20 });

/** Segments of few letters, so that IDs and patterns often match. */
const segment = fc.oneof(
  fc.constantFrom('a', 'b', 'ns', 'sa'),
  fc
    .string({ unit: fc.constantFrom(...characters, 'A', 'Z'), minLength: 1, maxLength: 8 })
    .filter((text) => text !== '.' && text !== '..'),
);

/** The parts of valid SPIFFE IDs. */
export const spiffeIds = fc.record({
  trustDomain,
  segments: fc.array(segment, { minLength: 1, maxLength: 12 }),
});

/** Valid IDs and patterns of one trust domain. */
export const spiffePatterns = fc
  .array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 9 })
  .filter((segments) => {
    const wildcards = segments.filter((each) => each === '*').length;
    return wildcards === 0 || wildcards <= (segments.length <= 6 ? 3 : segments.length <= 8 ? 2 : 0);
  })
  .map((segments) => `spiffe://prod.example/${segments.join('/')}`);

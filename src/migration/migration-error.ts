/** The file of the other server cannot be read as a whole. The message says what is wrong and what was expected. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

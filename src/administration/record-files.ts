import { findFiles } from '../clients/files/find-files.ts';
import { AdministrationError } from './administration-error.ts';

/**
 * The files that arguments of `-f` name.
 *
 * @throws {AdministrationError} with everything that is not there
 */
export function recordFiles(paths: readonly string[]): readonly string[] {
  const { files, faults } = findFiles(paths);
  if (faults.length > 0) throw new AdministrationError(faults);
  return files;
}

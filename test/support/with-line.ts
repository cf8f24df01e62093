import { ClientsFileError } from '../../src/clients/files/parse-records.ts';

/** The same function, with the line of the file in the messages of its errors. */
export function withLine<Result>(parse: () => Result): () => Result {
  return () => {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof ClientsFileError) || !error.position) throw error;
      throw new ClientsFileError(error.file, `line ${error.position.line}: ${error.message}`, error.position);
    }
  };
}

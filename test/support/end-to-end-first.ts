import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The order of the files: those that start processes first, so that at the end short ones fill every worker. */
export class EndToEndFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isEndToEnd = ({ moduleId }: TestSpecification) => moduleId.includes('/test/end-to-end/');
    const sorted = await super.sort(files);
    return [...sorted.filter(isEndToEnd), ...sorted.filter((file) => !isEndToEnd(file))];
  }
}

import packageJson from '../package.json' with { type: 'json' };

export const { version, description } = packageJson;

/** Defined by the build. */
declare const SOURCE_REVISION: string | undefined;

/** The commit that the program was built from; empty if that is not known, or if the source itself runs. */
export const revision = typeof SOURCE_REVISION === 'undefined' ? '' : SOURCE_REVISION;

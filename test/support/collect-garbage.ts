import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Frees what nobody holds, so that what is measured after it is held. */
export const collectGarbage: () => void = runInNewContext('gc');

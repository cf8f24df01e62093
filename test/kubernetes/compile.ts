import { kubernetesBinaries } from './binaries.ts';

/** Compiles the programs of Kubernetes for `npm run test:kubernetes`, unless they are: `node test/kubernetes/compile.ts`. */
console.info(await kubernetesBinaries());

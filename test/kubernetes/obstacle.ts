import { clusterObstacle, hasKubernetesBinaries } from './binaries.ts';

/** For .ci/run: prints why `npm run test:kubernetes` is not run; nothing if it is. */
const obstacle = clusterObstacle();
if (obstacle !== undefined) console.info(obstacle);
else if (!hasKubernetesBinaries())
  console.info('the programs of Kubernetes are not compiled; "node test/kubernetes/compile.ts" does it once');

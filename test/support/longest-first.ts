import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * About how many seconds the longest campaigns take on two idle cores. Only their order matters. Without this, a clean clone,
 * which has no results of an earlier run, would sort them by the size of their files.
 */
const seconds: Readonly<Record<string, number>> = {
  'kubernetes.campaign.ts': 540,
  'keys-rotation.campaign.ts': 190,
  'doctor-catches-unverified.campaign.ts': 134,
  'operate-rolling-restart.campaign.ts': 130,
  'fault-table.campaign.ts': 105,
  'package.campaign.ts': 70,
  'operate-overload.campaign.ts': 60,
  'edge-envoy.campaign.ts': 60,
  'keys-emergency.campaign.ts': 50,
  'keys-revocation-feed.campaign.ts': 40,
  'keys-directory.campaign.ts': 35,
  'apply-lease.campaign.ts': 25,
};

/** Runs the longest files first, so that no worker is idle while the last one runs. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const secondsOf = ({ moduleId }: TestSpecification) => seconds[basename(moduleId)] ?? 0;
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => secondsOf(other) - secondsOf(one));
  }
}

import { describeEdgeDecisions } from '../support/edge-decisions.ts';
import { describeEdgeHeaders } from '../support/edge-headers.ts';
import { describeEdgeInterleaving } from '../support/edge-interleaving.ts';
import { describeEdgeOutages } from '../support/edge-outages.ts';
import { describeEdgeRequests } from '../support/edge-requests.ts';

describeEdgeDecisions('traefik');
describeEdgeHeaders('traefik');
describeEdgeRequests('traefik');
describeEdgeOutages('traefik');
describeEdgeInterleaving('traefik');

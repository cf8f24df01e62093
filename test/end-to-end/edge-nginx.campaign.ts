import { describeEdgeHeaders } from '../support/edge-headers.ts';
import { describeEdgeInterleaving } from '../support/edge-interleaving.ts';
import { describeEdgeOutages } from '../support/edge-outages.ts';
import { describeEdgeRequests } from '../support/edge-requests.ts';

describeEdgeHeaders('nginx');
describeEdgeRequests('nginx');
describeEdgeOutages('nginx');
describeEdgeInterleaving('nginx');

import { describeEdgeDecisions } from '../support/edge-decisions.ts';
import { describeEdgeHeaders } from '../support/edge-headers.ts';

describeEdgeDecisions('haproxy');
describeEdgeHeaders('haproxy');

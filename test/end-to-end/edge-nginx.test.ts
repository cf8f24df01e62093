import { describeEdgeDecisions } from '../support/edge-decisions.ts';

describeEdgeDecisions('nginx');

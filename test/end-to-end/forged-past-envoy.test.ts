import { describeForgeriesPast } from '../support/forgery-suite.ts';

describeForgeriesPast('envoy');

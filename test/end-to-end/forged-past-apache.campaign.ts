import { describeForgeriesPast } from '../support/forgery-suite.ts';

describeForgeriesPast('apache');

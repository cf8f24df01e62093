import { describeForgeriesThrough } from '../support/forgery-suite.ts';

describeForgeriesThrough('traefik');

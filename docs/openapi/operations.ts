import { type Operation, type ResponseObject, textResponse } from './operation.ts';

/** The operations of the operations listener, which is not for clients. The API of the doctor is not public. */

const html: ResponseObject = { description: 'The page', content: { 'text/html': { schema: { type: 'string' } } } };

const operation = (
  operationId: string,
  summary: string,
  responses: Operation['responses'],
  description?: string,
): Operation => ({
  operationId,
  summary,
  ...(description !== undefined && { description }),
  tags: ['Operations'],
  responses,
});

export const operationsPaths = {
  '/livez': { get: operation('getLiveness', 'Whether the process responds', { 200: textResponse('It does') }) },
  '/readyz': {
    get: operation('getReadiness', 'Whether this replica can serve a client', {
      200: textResponse('It can'),
      503: textResponse('It cannot; the body has the reason'),
    }),
  },
  '/metrics': {
    get: operation('getMetrics', 'Get the metrics', { 200: textResponse('The text format of Prometheus') }),
  },
  '/decisions': {
    get: operation(
      'getDecisions',
      'Watch the latest decisions in a browser',
      { 200: html, 403: textResponse('The request is not from this machine; the body has the reason') },
      'Only for connections from this machine, such as those of `kubectl port-forward`.',
    ),
  },
} as const;

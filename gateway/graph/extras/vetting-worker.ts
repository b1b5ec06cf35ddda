import { serveThread } from '../thread-service.ts';
import { checkAlone, vetExtras, type VettingRequest } from './vetting.ts';

serveThread((request: VettingRequest) =>
  request.kind === 'check'
    ? checkAlone(request.service, request.ours)
    : vetExtras(request.base, request.extras),
);

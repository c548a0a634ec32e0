export { HandleRequest } from './handle-request.js';
export {
  type AskOptions,
  InvalidReply,
  RequestClient,
  RequestNotHandled,
  RequestRefused,
  ServiceUnavailable,
} from './request-client.js';
export { OUTLIER_LIMITS, type OutlierLimits } from './outlier-detection.js';
export { PACKET_LIMITS, type PacketLimits, requestServer } from './request-server.js';
export { operationsOf } from './operations/operations.controller.js';
export {
  decideOnDeadLetters,
  discardDeadLetter,
  getDeadLetter,
  getQueueState,
  listAlerts,
  listDeadLetters,
  listOperatorActions,
  pauseSubscription,
  replayDeadLetter,
  resumeSubscription,
} from './operations/requests.js';

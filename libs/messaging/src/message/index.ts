export { defineEvent, type EventDefinition, type EventOf } from './define-event.js';
export { defineRequest, type ReplyOf, type RequestDefinition, type RequestOf } from './define-request.js';
export { DomainError, type Refusal, toRefusal } from './domain-error.js';
export {
  decode,
  describeIssues,
  type Envelope,
  envelop,
  Header,
  headersOf,
  InvalidEvent,
  toWire,
  type WireMessage,
} from './envelope.js';
export {
  isSamePartition,
  partitionName,
  type ReceivedMessage,
  type TopicPartition,
} from './received-message.js';
export { currentTraceparent, rememberOrigin, runInTrace, traceparentOf } from './trace.js';
export { uuidv7 } from './uuid-v7.js';
export { Id, Instant, Moment, Text } from './values.js';
export { NotJson, proveJson } from './wire-form.js';

import { type ReceivedMessage, typeOf } from '../message/received-message.js';

/** Which messages are tried to tell an outage from messages that only look like one. */
export interface OutageProbe {
  /** The keys whose messages of one type are suspected to fail for themselves alone. */
  readonly suspects: ReadonlySet<string>;
  /** Where the messages of other keys stand, those of the suspects' type first. */
  readonly witnesses: readonly number[];
}

/**
 * Plans a probe: the first keys are the suspects, and the messages of all others are witnesses. Each round doubles the
 * suspects, as long as a key is left; then it begins again with one.
 * @param round 1 for the first one in an outage
 */
export function planProbe(messages: readonly ReceivedMessage[], round: number): OutageProbe {
  const type = messages[0] && typeOf(messages[0]);
  const isSuspected = (message: ReceivedMessage) => typeOf(message) === type;
  const keys = [...new Set(messages.filter(isSuspected).map(({ key }) => key))];
  const rounds = Math.max(1, Math.ceil(Math.log2(keys.length)));
  const suspects = new Set(keys.slice(0, 2 ** ((round - 1) % rounds)));
  const others = [...messages.entries()].filter(([, { key }]) => !suspects.has(key));
  const ofType = others.filter(([, message]) => isSuspected(message));
  const witnesses = (ofType.length > 0 ? ofType : others).map(([at]) => at);
  return { suspects, witnesses };
}

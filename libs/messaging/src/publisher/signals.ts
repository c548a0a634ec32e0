import { channel } from 'node:diagnostics_channel';

export interface SentSignal {
  readonly service: string;
  readonly count: number;
}

/** Published when the transport has a batch and the outbox still holds it. */
export const sentChannel = channel('sluice:relay:sent');

import type { Socket } from 'node:net';
import { JsonSocket, type MicroserviceOptions, Transport } from '@nestjs/microservices';

/** What one packet of a caller may take. */
export interface PacketLimits {
  /** Most characters of a packet, and of packets that wait. */
  readonly longest: number;
  /** How long a packet may stop in its middle, in ms. */
  readonly silenceMs: number;
  /** How long a packet may take from its first byte to its last, in ms. */
  readonly packetMs: number;
}

export const PACKET_LIMITS: PacketLimits = { longest: 64 * 2 ** 20, silenceMs: 30_000, packetMs: 60_000 };

/**
 * A server for requests over TCP. It ends the connection of a caller whose packet is too long, stops in its middle or
 * comes a byte at a time: otherwise what has arrived would be held for as long as the caller likes.
 */
export function requestServer(
  { host, port }: { readonly host: string; readonly port: number },
  { longest, silenceMs, packetMs }: PacketLimits = PACKET_LIMITS,
): MicroserviceOptions {
  // Nest gives its options to its own class alone.
  class PacketSocket extends JsonSocket {
    private late: NodeJS.Timeout | undefined;

    constructor(socket: Socket) {
      super(socket, { maxBufferSize: longest, incompleteMessageTimeout: silenceMs });
      socket.once('close', () => clearTimeout(this.late));
    }

    protected override handleData(data: Buffer | string): void {
      this.late ??= setTimeout(() => this.giveUp(), packetMs);
      super.handleData(data);
    }

    protected override emitMessage(data: string): void {
      clearTimeout(this.late);
      this.late = undefined;
      super.emitMessage(data);
    }

    private giveUp(): void {
      // While we ourselves do not read, nobody else is to blame.
      if (this.socket.isPaused()) this.late = setTimeout(() => this.giveUp(), packetMs);
      // What has arrived while this process stood still is read first.
      else {
        const { late } = this;
        setImmediate(() => {
          if (this.late === late) this.cut();
        });
      }
    }

    private cut(): void {
      this.handleDataError(new Error(`a packet took longer than ${packetMs} ms`), { destroy: true });
    }
  }
  return { transport: Transport.TCP, options: { host, port, socketClass: PacketSocket } };
}

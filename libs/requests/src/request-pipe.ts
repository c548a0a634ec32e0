import type { PipeTransform } from '@nestjs/common';
import { describeIssues, DomainError, rememberOrigin, type RequestDefinition } from '#messaging';

/** A request as it is sent. */
export interface RequestPacket {
  readonly data: unknown;
  readonly traceparent?: string;
}

export class InvalidRequest extends DomainError {
  readonly code = 'invalid_request';
  constructor(
    readonly request: string,
    readonly issues: string,
  ) {
    super(`${request}: ${issues}`);
  }
}

/** Parses a request by its contract before the handler sees it. */
export class RequestPipe implements PipeTransform<RequestPacket> {
  constructor(private readonly definition: RequestDefinition) {}

  transform(packet: RequestPacket): unknown {
    const parsed = this.definition.schema.safeParse(packet?.data);
    if (!parsed.success) throw new InvalidRequest(this.definition.type, describeIssues(parsed.error.issues));
    rememberOrigin(parsed.data, packet.traceparent);
    return parsed.data;
  }
}

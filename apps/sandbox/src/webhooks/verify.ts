import { type RawBodyRequest, UnauthorizedException } from '@nestjs/common';
import type { Webhook } from 'standardwebhooks';

/** The text of a webhook whose signature is valid. @throws UnauthorizedException */
export function verified(
  webhook: Webhook,
  headers: Record<string, string>,
  request: RawBodyRequest<unknown>,
): string {
  const text = (request.rawBody ?? Buffer.alloc(0)).toString();
  try {
    webhook.verify(text, headers);
  } catch (error) {
    throw new UnauthorizedException(error instanceof Error ? error.message : String(error));
  }
  return text;
}

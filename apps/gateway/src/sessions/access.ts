import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';

export type Role = 'shopper' | 'operator';

export interface Session {
  readonly userId: string;
  readonly role: Role;
}

export const ACCESS = 'sluice.access';

/** Who may call: a signed-in shopper, an operator, or anyone. The default below `/api` is operators only. */
export const Access = (who: Role | 'anyone') => SetMetadata(ACCESS, who);

/** The session of the caller. */
export const CurrentSession = createParamDecorator((_: unknown, context: ExecutionContext): Session => {
  return context.switchToHttp().getRequest<{ session: Session }>().session;
});

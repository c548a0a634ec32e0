import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';

export type Role = 'shopper' | 'operator';

export interface Session {
  readonly userId: string;
  readonly role: Role;
}

export const ACCESS = 'sluice.access';

/** Who may call: a signed-in shopper, an operator, or anyone. Without it a route below `/api` is the operator's alone. */
export const Access = (who: Role | 'anyone') => SetMetadata(ACCESS, who);

/** The session of the caller. */
export const CurrentSession = createParamDecorator((_: unknown, context: ExecutionContext): Session => {
  return context.switchToHttp().getRequest<{ session: Session }>().session;
});

import 'reflect-metadata';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { ApiSecurity } from '@nestjs/swagger';
import type { RouteLimits } from '#service-kit';

export type Role = 'shopper' | 'operator';

export interface Session {
  readonly userId: string;
  readonly role: Role;
}

/**
 * Who may call a route, or every route of a controller: a signed-in shopper, an operator, or anyone. A route without
 * it is for operators. What a method says wins over its controller.
 */
export function Access(
  who: Role | 'anyone',
  limits: Omit<RouteLimits, 'access'> = {},
): ClassDecorator & MethodDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    if (key !== undefined) return open(target, key, descriptor!, { ...limits, access: who });
    const { prototype } = target as { prototype: object };
    for (const [name, each] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      const value: unknown = each.value;
      const isRoute = typeof value === 'function' && Reflect.hasMetadata(PATH_METADATA, value);
      if (isRoute && !Reflect.hasMetadata(FASTIFY_ROUTE_CONFIG_METADATA, value))
        open(prototype, name, each, { ...limits, access: who });
    }
  };
}

function open(
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor,
  limits: RouteLimits,
): void {
  RouteConfig(limits)(target, key, descriptor);
  // OpenAPI 3.1: the roles that a caller needs.
  const security =
    limits.access === 'anyone' ? ApiSecurity({}) : ApiSecurity('bearer', [limits.access as string]);
  security(target, key, descriptor);
}

/** The session of the caller. */
export const CurrentSession = createParamDecorator((_: unknown, context: ExecutionContext): Session => {
  return context.switchToHttp().getRequest<{ session: Session }>().session;
});

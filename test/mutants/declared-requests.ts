import { ModulesContainer } from '@nestjs/core';
import type { ShopInProcess } from './shop-in-process.js';

/** Where Nest keeps what `@MessagePattern` was given. */
const PATTERN = 'microservices:pattern';

/** The types of the requests that the shop's own modules answer. */
export function declaredRequests(shop: ShopInProcess): string[] {
  return shop.apps.flatMap(({ app, definition }) => {
    const modules = [...app.get(ModulesContainer).values()];
    const { controllers } = modules.find(({ metatype }) => metatype === definition.module)!;
    return [...controllers.values()]
      .flatMap(({ metatype }) => methodsOf((metatype as { prototype: object }).prototype))
      .flatMap(method => (Reflect.getMetadata(PATTERN, method) as string[] | undefined) ?? [])
      .filter(pattern => !pattern.includes(' <- '));
  });
}

function methodsOf(prototype: object): object[] {
  return Object.values(Object.getOwnPropertyDescriptors(prototype))
    .map(({ value }: PropertyDescriptor) => value as unknown)
    .filter(value => typeof value === 'function');
}

import { expect, it } from '@jest/globals';
import { slugOf } from './slug.js';

it.each([
  ['Enamel Teapot, Cream', 'TEAPOT', 'enamel-teapot-cream-teapot'],
  ['  Café “Ärger” 50% ', 'A_1', 'cafe-arger-50-a_1'],
  ['搪瓷茶壶', '85123A', '85123a'],
  ['x'.repeat(300), 'A', `${'x'.repeat(80)}-a`],
  ['---', '-', ''],
])('the slug of %j and %j is %j', (title, code, slug) => {
  expect(slugOf(title, code)).toBe(slug);
});

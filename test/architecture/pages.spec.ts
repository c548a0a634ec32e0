import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { INDEX_POLICY, indexPage } from '../../apps/gateway/src/pages/index-page.js';
import { CHECKOUT_POLICY, checkoutPage } from '../../apps/sandbox/src/payments/checkout-page.js';

const ATTACK = '"><script>alert(1)</script><style>*{}</style>';

describe.each([
  ['the first page', indexPage(ATTACK, [{ service: ATTACK, addresses: [] }]), INDEX_POLICY, 2],
  ['a checkout', checkoutPage(1_250, 'GBP', null), CHECKOUT_POLICY, 1],
  ['a declined checkout', checkoutPage(1_250, 'GBP', 'declined'), CHECKOUT_POLICY, 1],
])('%s', (_, page, policy, count) => {
  it('has only the styles and scripts that its policy admits', () => {
    const elements = [...page.matchAll(/<(style|script)[^>]*>([\s\S]*?)<\/\1>/g)];
    expect(elements).toHaveLength(count);
    for (const [, kind, text] of elements) {
      const [, admitted] = new RegExp(`${kind}-src ([^;]*)`).exec(policy)!;
      expect(admitted).toContain(`'sha256-${createHash('sha256').update(text!).digest('base64')}'`);
    }
    expect(page).not.toMatch(/ (on[a-z]+|style)=/);
  });
});

import { formatMoney } from '#contracts';
import { html, InlineElement, pagePolicy } from '#service-kit';

const STYLE = new InlineElement(
  'style',
  `
  body { font: 16px/1.5 system-ui, sans-serif; display: grid; place-items: center; min-height: 100vh; margin: 0; background: #f3f4f6; color: #111827 }
  main { background: #fff; padding: 2rem 2.5rem; border-radius: 12px; box-shadow: 0 1px 3px #0002; min-width: 18rem; text-align: center }
  h1 { font-size: 1rem; font-weight: 600; color: #6b7280; margin: 0 }
  .amount { font-size: 2.25rem; font-weight: 650; margin: .5rem 0 1.5rem }
  button { font: inherit; width: 100%; padding: .7rem; border: 0; border-radius: 8px; background: #0f766e; color: #fff; cursor: pointer; margin-top: .5rem }
  .quiet { background: #e5e7eb; color: #111827 }
  .declined { color: #b91c1c } .done { color: #0f766e }
`,
);

/** What the page may do: its own style, and a form that goes to its own server. */
export const CHECKOUT_POLICY = pagePolicy(STYLE);

/** A provider's checkout, for people. */
export function checkoutPage(amountMinor: number, currency: string, outcome: string | null): string {
  const amount = formatMoney(amountMinor, currency);
  const choice =
    outcome === 'paid'
      ? html`<p class="done">Paid. You can close this page.</p>`
      : html`<form method="post">
          ${outcome === null ? '' : html`<p class="declined">Declined. You may try again.</p>`}
          <button name="outcome" value="paid">Pay ${amount}</button>
          <button name="outcome" value="declined" class="quiet">Decline</button>
        </form>`;
  const page = html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Sandbox payment</title>
      ${STYLE}
      <main>
        <h1>Sandbox payment provider</h1>
        <p class="amount">${amount}</p>
        ${choice}
      </main>
    </html>`;
  return page.toString();
}

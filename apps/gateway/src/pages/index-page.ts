import { html, InlineElement, pagePolicy } from '#service-kit';

const STYLE = new InlineElement(
  'style',
  `
  :root { --ink: #0f172a; --quiet: #64748b; --line: #e2e8f0; --good: #0f766e; --bad: #b91c1c }
  body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); margin: 0; background: #f8fafc }
  main { max-width: 64rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
  h1 { font-size: 2rem; margin: 0 } h2 { font-size: 1.05rem; margin: 0 0 .75rem }
  .lead { color: var(--quiet); margin: .25rem 0 2rem }
  .grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)) }
  section { background: #fff; border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.25rem }
  section.wide { grid-column: 1 / -1 }
  ul { margin: 0; padding-left: 1.1rem } a { color: #0f766e } code { background: #f1f5f9; padding: .1em .3em; border-radius: 4px }
  table { border-collapse: collapse; width: 100%; font-size: .92em } td, th { text-align: left; padding: .3rem .5rem .3rem 0; border-top: 1px solid var(--line); vertical-align: top }
  th { color: var(--quiet); font-weight: 500; border-top: 0 } .num { text-align: right; font-variant-numeric: tabular-nums }
  form { display: flex; gap: .5rem; margin-bottom: .75rem; flex-wrap: wrap } input { font: inherit; padding: .4rem .6rem; border: 1px solid var(--line); border-radius: 6px; flex: 1; min-width: 10rem }
  button { font: inherit; padding: .4rem .9rem; border: 0; border-radius: 6px; background: var(--good); color: #fff; cursor: pointer }
  .figure { white-space: nowrap }
  .flat { margin: 0 }
  .good { color: var(--good) } .bad { color: var(--bad) }
`,
);

const SCRIPT = new InlineElement(
  'script',
  `
  const cell = (text, className = '') => Object.assign(document.createElement('td'), { textContent: text, className });
  const row = (...cells) => { const tr = document.createElement('tr'); tr.append(...cells); return tr };
  const json = async (url, options) => {
    const response = await fetch(url, options);
    const body = await response.json();
    if (!response.ok) throw new Error(body.detail);
    return body;
  };
  async function campaigns() {
    const { campaigns } = await json('/api/campaigns?limit=8');
    const rows = campaigns.map(c => row(cell(c.sku), cell(c.available + ' of ' + c.stock + ' left', 'num')));
    document.querySelector('#campaigns').replaceChildren(...(rows.length ? rows : [row(cell('none yet'))]));
  }
  document.querySelector('#sign-in').addEventListener('submit', async event => {
    event.preventDefault();
    const place = document.querySelector('#audit');
    try {
      const adminPassword = new FormData(event.target).get('password');
      const headers = { 'content-type': 'application/json' };
      const { token } = await json('/api/sessions', { method: 'POST', headers, body: JSON.stringify({ adminPassword }) });
      const audit = await json('/api/admin/audit', { headers: { authorization: 'Bearer ' + token } });
      const table = document.createElement('table');
      for (const { invariant, holds, figures } of audit.invariants) {
        const told = cell('');
        for (const [name, value] of Object.entries(figures)) {
          const figure = document.createElement('span');
          figure.className = 'figure';
          figure.textContent = name + ' ' + value.toLocaleString('en');
          told.append(figure, document.createTextNode('  '));
        }
        table.append(row(cell(holds ? '✓' : '✗', holds ? 'good' : 'bad'), cell(invariant), told));
      }
      const verdict = document.createElement('p');
      verdict.className = audit.clean ? 'good' : 'bad';
      verdict.textContent = audit.clean ? 'Clean.' : audit.settled ? 'Not clean.' : 'Not settled yet: messages are on their way.';
      place.className = '';
      place.replaceChildren(verdict, table);
    } catch (error) {
      place.className = 'bad';
      place.textContent = error.message;
    }
  });
  campaigns();
  setInterval(campaigns, 2000);
`,
);

/** What the first page may do: its own style and script, and calls to its own server. */
export const INDEX_POLICY = pagePolicy(STYLE, SCRIPT);

/** The first page: what is running, and where to go. Its script calls the API as any client would. */
export function indexPage(
  sandboxUrl: string,
  services: readonly { readonly service: string; readonly addresses: readonly string[] }[],
): string {
  // Where they answer is for operators: GET /api/admin/services.
  const known = [
    ['gateway', 'here'] as const,
    ...services.map(
      ({ service, addresses }) => [service, addresses.length > 0 ? 'answers' : 'silent'] as const,
    ),
  ];
  const rows = known.map(
    ([service, state]) =>
      html`<tr>
        <td>${service}</td>
        <td>${state}</td>
      </tr>`,
  );
  const page = html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <link rel="icon" href="data:," />
      <title>Sluice</title>
      ${STYLE}
      <main>
        <h1>Sluice</h1>
        <p class="lead">A shop that stays up when everyone shows up.</p>
        <div class="grid">
          <section>
            <h2>Look around</h2>
            <ul>
              <li><a href="/docs">The API, to try out</a> · <a href="/openapi.json">OpenAPI</a></li>
              <li><a href="/asyncapi.json">The events that the services exchange (AsyncAPI)</a></li>
              <li><a href="/api/products">Products</a> · <a href="/api/campaigns">Campaigns</a></li>
              <li><a href="/health/ready">Health</a> · <a href="/metrics">Metrics</a></li>
              <li>
                The outside world: <a href="${sandboxUrl}/sms">text messages</a>,
                <a href="${sandboxUrl}/merchant/webhooks">webhooks</a>,
                <a href="${sandboxUrl}/faults">faults</a>
              </li>
            </ul>
          </section>
          <section>
            <h2>Running</h2>
            <table>
              <tr>
                <th>service</th>
                <th>state</th>
              </tr>
              ${rows}
            </table>
          </section>
          <section>
            <h2>Campaigns</h2>
            <table id="campaigns">
              <tr>
                <td>…</td>
              </tr>
            </table>
          </section>
          <section class="wide">
            <h2>Audit</h2>
            <form id="sign-in">
              <input
                type="password"
                name="password"
                required
                placeholder="operator password, printed by npm start"
                autocomplete="current-password"
                aria-label="operator password"
              /><button>Audit now</button>
            </form>
            <div id="audit" class="lead flat">Every invariant of the shop, computed when you ask.</div>
          </section>
        </div>
      </main>
      ${SCRIPT}
    </html>`;
  return page.toString();
}

import { cpus, totalmem } from 'node:os';
import { ARMS } from './arms.js';
import { escape, plot } from './plot.js';
import type { Outcome } from './run-experiment.js';
import { shown } from './summary.js';

const STYLE = `
:root{color-scheme:light dark;--ink:#1c1917;--soft:#78716c;--rule:#e7e5e4;--page:#fff;--naive:#c2410c;--ours:#0f766e}
@media(prefers-color-scheme:dark){:root{--ink:#f5f5f4;--soft:#a8a29e;--rule:#44403c;--page:#1c1917;--naive:#fb923c;--ours:#2dd4bf}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:760px;margin:2.5rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}.soft{color:var(--soft)}
.words{font-size:1.1rem}table{border-collapse:collapse;width:100%}td,th{padding:.35rem .5rem;border-bottom:1px solid var(--rule);text-align:left}
td:not(:first-child),th:not(:first-child){text-align:right;font-variant-numeric:tabular-nums}
.naive{color:var(--naive)}.ours{color:var(--ours)}figure{margin:1.5rem 0}figcaption{font-weight:600;margin-bottom:.25rem}
svg{width:100%;height:auto}.grid{stroke:var(--rule)}.tick{fill:var(--soft);font-size:11px}
.line{fill:none;stroke:currentColor;stroke-width:2}.mark{stroke:currentColor;stroke-dasharray:2 4;opacity:.6}
code{background:var(--rule);padding:.1rem .3rem;border-radius:3px}
`;

/** The outcome as one HTML file that needs nothing else. */
export function reportOf(outcome: Outcome): string {
  const { experiment, arms, size, at, words } = outcome;
  const { name, question, figures, invariants, series } = experiment;
  const head = `<tr><th></th>${ARMS.map(arm => `<th class="${arm}">${arm}</th>`).join('')}</tr>`;
  const row = (label: string, cells: readonly string[]) =>
    `<tr><td>${escape(label)}</td>${cells.map(cell => `<td>${cell}</td>`).join('')}</tr>`;
  const counted = Object.entries(figures).map(([key, label]) =>
    row(
      label,
      ARMS.map(arm => shown(arms[arm].figures[key])),
    ),
  );
  const held = invariants.map(each =>
    row(
      each.name,
      ARMS.map(arm => (arms[arm].broken.includes(each.name) ? '<b class="naive">✗ broken</b>' : '✓ holds')),
    ),
  );
  const plots = Object.entries(series).map(([key, label]) =>
    plot(
      label,
      ARMS.map(arm => ({ arm, points: arms[arm].series[key] ?? [], marks: arms[arm].marks })),
    ),
  );
  const sizes = Object.entries(experiment.sizes[size]).map(([key, value]) => `${key} ${value}`);
  const machine = `${cpus().length} processors (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escape(name)}</title><style>${STYLE}</style></head><body>
<p class="soft">Sluice lab: ${escape(name)}</p>
<h1>${escape(question)}</h1>
<p class="words">${escape(words)}</p>
<ul>${ARMS.map(arm => `<li><b class="${arm}">${arm}</b>: ${escape(experiment.arms[arm])}</li>`).join('')}</ul>
<h2>Invariants</h2><table>${head}${held.join('')}</table>
<h2>Figures</h2><table>${head}${counted.join('')}</table>
<h2>Over time</h2><p class="soft">Dashed lines are faults; hold the pointer over one to see which.</p>${plots.join('')}
<h2>Run it again</h2><p><code>npm run lab -- ${escape(name)}${size === 'full' ? ' --full' : ''}</code></p>
<p class="soft">${escape(`${sizes.join(', ')}. ${at.toISOString()}, on ${machine}.`)}</p>
</body></html>
`;
}

// Draws the dashboard as a picture: asks a Prometheus what each panel asks, has Grafana's library of
// components draw the answers, and chromium take the picture.
//
//   npm ci --legacy-peer-deps && node picture.mjs http://127.0.0.1:9090 dashboard.png [seconds]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const [prometheus, file, seconds = 300] = process.argv.slice(2);
const here = import.meta.dirname;
const dashboard = JSON.parse(readFileSync(join(here, '../../deploy/grafana/dashboards/tenure.json')));
const to = Math.floor(Date.now() / 1000), from = to - Number(seconds);

async function ask(path, query) {
  const answer = await (await fetch(`${prometheus}/api/v1/${path}?${new URLSearchParams(query)}`)).json();
  if (answer.status !== 'success') throw new Error(`${query.query}: ${answer.error}`);
  return answer.data.result;
}

const answers = {};
for (const panel of dashboard.panels) {
  answers[panel.id] = await Promise.all((panel.targets ?? []).map(({ expr }) => {
    const query = expr.replaceAll('$__rate_interval', seconds > 3600 ? '5m' : '30s');
    return panel.type === 'timeseries' ? ask('query_range', { query, start: from, end: to, step: Math.max(2, seconds / 360) }) : ask('query', { query });
  }));
}

const folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
await build({
  entryPoints: [join(here, 'panels.jsx')], bundle: true, outfile: join(folder, 'panels.js'), define: { 'process.env.NODE_ENV': '"production"' },
  loader: Object.fromEntries(['.svg', '.woff2', '.ttf', '.png'].map((kind) => [kind, 'dataurl'])), logLevel: 'error', legalComments: 'none',
});
writeFileSync(join(folder, 'index.html'), `<meta charset="utf-8"><link rel="stylesheet" href="panels.css">
<body style="margin: 8px; background: #f4f5f5"><div id="root"></div><script>picture = ${JSON.stringify({ dashboard, answers, from, to }).replaceAll('<', '\\u003c')}</script><script src="panels.js"></script>`);
const rows = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h));
execFileSync('chromium', ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--allow-file-access-from-files', '--virtual-time-budget=8000',
  `--window-size=1600,${rows * 38 + 16}`, `--screenshot=${file}`, `file://${folder}/index.html`], { stdio: 'ignore' });

// Draws the panels of a dashboard with Grafana's own library of components (@grafana/ui), from
// what Prometheus has answered: window.picture is set by picture.mjs.
import React from 'react';
import { createRoot } from 'react-dom/client';
import { createTheme, FieldType, getDisplayProcessor, ThemeContext, toDataFrame, dateTime } from '@grafana/data';
import { BarGauge, BigValue, PanelChrome, TimeSeries } from '@grafana/ui';

const { dashboard, answers, from, to } = window.picture;
const theme = createTheme({ colors: { mode: 'light' } });
const cell = { width: 66, height: 38, gap: 8 }; // Grafana's grid has 24 columns

const named = (target, labels) => (target.legendFormat ?? '').replace(/{{\s*(\w+)\s*}}/g, (_, name) => labels[name] ?? '');

// values returns what the targets of a panel have answered, as fields of numbers.
const values = (panel) =>
  (panel.targets ?? []).flatMap((target, i) =>
    answers[panel.id][i].map((series) => ({ name: named(target, series.metric), points: series.values ?? [series.value] })));

const line = {
  drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, showPoints: 'auto', pointSize: 5, spanNulls: false,
  axisPlacement: 'auto', axisColorMode: 'text', axisBorderShow: false, axisLabel: '', scaleDistribution: { type: 'linear' },
  hideFrom: { tooltip: false, viz: false, legend: false }, stacking: { mode: 'none', group: 'A' }, thresholdsStyle: { mode: 'off' }, gradientMode: 'none',
};

// Where a panel does not say otherwise, lines have a colour each, and numbers that of the threshold
// that they exceed: 80, if there is none.
const colours = {
  timeseries: { color: { mode: 'palette-classic' } },
  stat: { color: { mode: 'thresholds' }, thresholds: { mode: 'absolute', steps: [{ color: 'green', value: -Infinity }, { color: 'red', value: 80 }] } },
};
colours.bargauge = colours.stat;

// thresholds of a dashboard have no value for the lowest.
const lowest = ({ thresholds: t, ...rest }) =>
  t ? { ...rest, thresholds: { ...t, steps: t.steps.map((s) => ({ ...s, value: s.value ?? -Infinity })) } } : rest;

function field(panel, { name, points }, index) {
  const f = {
    name: 'value', type: FieldType.number, values: points.map(([, v]) => Number(v)), state: { seriesIndex: index },
    config: { ...colours[panel.type], ...lowest(panel.fieldConfig?.defaults ?? {}), displayName: name, custom: line },
  };
  f.display = getDisplayProcessor({ field: f, theme });
  return f;
}

function Lines({ panel, width, height }) {
  const frames = values(panel).map((series, i) => {
    const frame = toDataFrame({ refId: String(i), fields: [{ name: 'time', type: FieldType.time, values: series.points.map(([t]) => t * 1000), config: {} }] });
    frame.fields[0].display = getDisplayProcessor({ field: frame.fields[0], theme, timeZone: 'utc' });
    const f = field(panel, series, i);
    f.state = { ...f.state, displayName: series.name, origin: { frameIndex: i, fieldIndex: 1 } };
    frame.fields.push(f);
    return frame;
  });
  if (frames.length === 0) return <p style={{ padding: 16, color: '#777' }}>No data</p>;
  const [start, end] = [dateTime(from * 1000), dateTime(to * 1000)];
  return <TimeSeries frames={frames} width={width} height={height} timeRange={{ from: start, to: end, raw: { from: start, to: end } }} timeZone="utc"
    legend={{ showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] }} options={{}} />;
}

function Bars({ panel, width, height }) {
  const all = values(panel).map((series, i) => field(panel, series, i)).sort((a, b) => a.config.displayName.localeCompare(b.config.displayName));
  const each = Math.min(height / Math.max(all.length, 1), 44);
  const shown = all.map((f) => ({ ...f.display(f.values[0]), title: f.config.displayName }));
  const longest = (what) => shown.reduce((most, value) => ((value[what] ?? '').length > most.length ? value[what] : most), '');
  const alike = { title: longest('title'), text: longest('text'), suffix: longest('suffix') };
  return all.map((f, i) => <BarGauge key={i} value={shown[i]} alignmentFactors={alike} field={f.config} display={f.display} theme={theme}
    itemSpacing={6} displayMode="basic" orientation="horizontal" width={width} height={each - 4} />);
}

function Big({ panel, width, height }) {
  const [series] = values(panel);
  if (!series) return <p style={{ padding: 16, color: '#777' }}>No data</p>;
  const f = field(panel, series, 0);
  return <BigValue value={f.display(f.values[0])} theme={theme} colorMode={panel.options?.colorMode ?? 'value'} graphMode="none" justifyMode="auto" textMode="value" width={width} height={height} />;
}

const kinds = { stat: Big, bargauge: Bars, timeseries: Lines };

function Panel({ panel }) {
  const { x, y, w, h } = panel.gridPos;
  const place = { position: 'absolute', left: x * cell.width, top: y * cell.height, width: w * cell.width - cell.gap, height: h * cell.height - cell.gap };
  if (panel.type === 'row') return <h2 style={{ ...place, fontSize: 16, paddingTop: 4 }}>{panel.title}</h2>;
  const Kind = kinds[panel.type];
  return <div style={place}><PanelChrome title={panel.title} width={place.width} height={place.height}>
    {(width, height) => <Kind panel={panel} width={width} height={height} />}
  </PanelChrome></div>;
}

const rows = Math.max(...dashboard.panels.map((p) => p.gridPos.y + p.gridPos.h));
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <div style={{ position: 'relative', width: 24 * cell.width, height: rows * cell.height, fontFamily: 'Inter, Helvetica, Arial, sans-serif', fontSize: 14 }}>
      {dashboard.panels.map((p) => <Panel key={p.id} panel={p} />)}
    </div>
  </ThemeContext.Provider>);

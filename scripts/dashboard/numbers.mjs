// Prints made-up numbers of a working day for the dashboard, in OpenMetrics' text format, of the six
// hours that end now: promtool makes blocks of Prometheus of them. See picture.sh.
const end = Math.floor(Date.now() / 60000) * 60, minutes = 360;
const out = [];

// noise is the same in every picture.
let seed = 1;
const noise = () => (seed = (seed * 48271) % 2147483647) / 2147483647;

function gauge(name, series) {
  out.push(`# TYPE ${name} gauge`);
  for (const [labels, at] of Object.entries(series)) {
    for (let m = 0; m <= minutes; m++) out.push(`${name}{${labels}} ${at(m)} ${end - (minutes - m) * 60}`);
  }
}

function counter(name, series) {
  out.push(`# TYPE ${name} counter`);
  for (const [labels, each] of Object.entries(series)) {
    for (let m = 0, n = 0; m <= minutes; m++) out.push(`${name}_total{${labels}} ${(n += each(m))} ${end - (minutes - m) * 60}`);
  }
}

// histogram has each(m) observations a minute, around usual seconds.
function histogram(name, bounds, series) {
  out.push(`# TYPE ${name} histogram`);
  for (const [labels, [usual, each]] of Object.entries(series)) {
    const counts = bounds.map(() => 0);
    let all = 0;
    for (let m = 0; m <= minutes; m++) {
      for (let i = each(m); i > 0; i--) {
        const seconds = usual * Math.exp(2 * noise() - 0.8);
        bounds.forEach((bound, b) => { if (seconds <= bound) counts[b]++; });
        all++;
      }
      const when = end - (minutes - m) * 60, both = labels && `${labels},`;
      bounds.forEach((bound, b) => out.push(`${name}_bucket{${both}le="${bound}"} ${counts[b]} ${when}`));
      out.push(`${name}_bucket{${both}le="+Inf"} ${all} ${when}`, `${name}_count{${labels}} ${all} ${when}`, `${name}_sum{${labels}} ${all * usual} ${when}`);
    }
  }
}

const flood = (m) => (m > 120 && m < 240 ? 1 - Math.abs(m - 180) / 60 : 0); // a reorganization in the middle
const some = (most) => () => Math.floor(noise() * (most + 1));
const still = (n) => () => n;
const apps = { directory: 1212, wiki: 1190, mail: 1205, crm: 318 };
const seconds = [0.25, 1, 4, 15, 60, 240, 900, 3600];
const of = (f) => Object.fromEntries(Object.entries(apps).map(([app, n], i) => f(app, n, i)));

gauge('tenure_ingest_oldest_seconds', { 'topic="hr.events"': (m) => (noise() * 3).toFixed(2) });
gauge('tenure_ingest_lag', { 'topic="hr.events"': some(4) });
gauge('tenure_attention_steps', of((app, _, i) => [`app="${app}"`, (m) => (i === 3 ? Math.max(0, Math.floor((m - 90) / 40) - (m > 290 ? 5 : 0)) : i === 1 && m > 200 ? 1 : 0)]));
gauge('tenure_breaker_cohorts', { 'kind="leavers"': still(0) });
counter('tenure_ingest_dead_letters', { 'topic="hr.events",reason="no_person"': (m) => (m === 77 ? 1 : 0) });
gauge('tenure_deletions_waiting', { 'app="crm"': still(2) });
gauge('tenure_accounts', Object.fromEntries(Object.entries(apps).flatMap(([app, n], i) => [[`app="${app}",state="active"`, (m) => n + Math.floor(m / (40 + 9 * i))], [`app="${app}",state="disabled"`, (m) => Math.floor(n / 14) + Math.floor(m / 120)]])));
gauge('tenure_retention_pending', of((app, n) => [`app="${app}"`, still(Math.floor(n / 14))]));
gauge('tenure_people_overdue', { '': still(0) });
gauge('tenure_figure_seconds', Object.fromEntries(['time_to_deprovision', 'time_to_provision'].flatMap((figure, f) => Object.keys(apps).flatMap((app, i) =>
  [['median', 9], ['p95', 70]].map(([half, s]) => [`figure="${figure}",app="${app}",of="${half}"`, still(s * (1 + f) * (1 + 2 * i))])))));
gauge('tenure_figure_ratio', { ...Object.fromEntries(['orphaned_account_rate', 'provisioning_error_rate'].flatMap((figure, f) => Object.keys(apps).map((app, i) =>
  [`figure="${figure}",app="${app}"`, still(((1 + i * i) * (2 - f)) / 400)]))), 'figure="review_completion_rate"': still(0.94) });
gauge('tenure_figure_accounts', of((app, _, i) => [`figure="time_to_deprovision",app="${app}",state="late"`, still(i === 3 ? 1 : 0)]));
histogram('tenure_time_to_deprovision_seconds', seconds, of((app, _, i) => [`app="${app}"`, [8 * (1 + i), some(2)]]));
histogram('tenure_time_to_provision_seconds', seconds, of((app, _, i) => [`app="${app}"`, [20 * (1 + i), (m) => some(3)() + Math.floor(12 * flood(m))]]));
counter('tenure_steps', { 'outcome="done"': (m) => 20 + some(10)() + Math.floor(400 * flood(m)), 'outcome="retried"': (m) => some(2)() + Math.floor(20 * flood(m)), 'outcome="attention"': (m) => (m % 45 === 0 ? 1 : 0) });
histogram('tenure_app_pace_seconds', seconds, of((app, _, i) => [`app="${app}"`, [0.2 * (1 + 4 * i), (m) => 5 + Math.floor(20 * flood(m))]]));
histogram('tenure_ingest_event_to_workflow_seconds', seconds, { 'topic="hr.events"': [0.4, (m) => 4 + Math.floor(30 * flood(m))] });
counter('tenure_ingest_records', { 'topic="hr.events",result="delivered"': (m) => 4 + some(3)(), 'topic="hr.events",result="waiting"': (m) => Math.floor(90 * flood(m)), 'topic="hr.events",result="duplicate"': some(1), 'topic="hr.events",result="dead_letter"': (m) => (m === 77 ? 1 : 0) });
gauge('tenure_ingest_dependency_up', { 'dependency="kafka"': still(1), 'dependency="ledger"': still(1), 'dependency="temporal"': (m) => (m >= 62 && m < 66 ? 0 : 1) });
counter('tenure_webhook_requests', { 'outcome="accepted"': some(3), 'outcome="refused"': (m) => (m % 90 === 0 ? 1 : 0) });
gauge('tenure_ingest_turn_people', { '': (m) => Math.floor(900 * flood(m - 8)) });
gauge('tenure_ingest_turn_at_work', { '': (m) => Math.min(500, Math.floor(1500 * flood(m))) });
gauge('tenure_ingest_turn_oldest_seconds', { '': (m) => Math.floor(1300 * flood(m - 8)) });
console.log(out.join('\n') + '\n# EOF');

'use strict';

const at = (id) => document.getElementById(id);
const say = (id, text) => { const e = at(id); if (e.textContent !== text) e.textContent = text; };

const scaled = (v, units, step) => {
  let i = 0;
  while (v >= step && i < units.length - 1) { v /= step; i++; }
  return (v >= 100 || i === 0 ? Math.round(v) : v.toFixed(1)) + ' ' + units[i];
};
const bytes = (v) => scaled(v, ['B', 'kB', 'MB', 'GB', 'TB', 'PB'], 1000);
const rate = (v) => scaled(v, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'], 1000);
const span = (s) => s < 120 ? Math.max(0, Math.round(s)) + ' s' : s < 7200 ? Math.round(s / 60) + ' min' : Math.round(s / 3600) + ' h';

// rates turns totals into bits per second, averaged over a window of samples so
// that segments, which are counted whole, do not make a saw.
function rates(samples) {
  const over = 6;
  const points = [];
  for (let i = 1; i < samples.length; i++) {
    const a = samples[Math.max(0, i - over)], b = samples[i];
    const seconds = (b.at - a.at) / 1000;
    if (seconds <= 0) continue;
    const own = Math.max(0, b.sent - a.sent) * 8 / seconds;
    const all = Math.max(0, b.consumed - a.consumed) * 8 / seconds;
    points.push({ at: b.at, own, peers: Math.max(0, all - own) });
  }
  return points;
}

const NS = 'http://www.w3.org/2000/svg';
function el(name, attributes, text) {
  const e = document.createElementNS(NS, name);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  if (text !== undefined) e.textContent = text;
  return e;
}

function nice(v) {
  const p = 10 ** Math.floor(Math.log10(v));
  for (const m of [1, 2, 5, 10]) if (v <= m * p) return m * p;
}

function draw(points) {
  const box = at('chart');
  const w = Math.max(280, box.clientWidth), h = 220, left = 78, bottom = 22;
  const svg = el('svg', { viewBox: `0 0 ${w} ${h}`, role: 'img', 'aria-label': 'Bits per second over the last ten minutes' });
  const end = points.length ? points[points.length - 1].at : Date.now();
  const start = end - 600e3;
  const top = nice(Math.max(1e6, ...points.map((p) => p.own + p.peers)));
  const x = (t) => left + (w - left) * Math.max(0, t - start) / 600e3;
  const y = (v) => (h - bottom) * (1 - v / top);
  for (let i = 0; i <= 2; i++) {
    const v = top * i / 2;
    svg.append(el('line', { class: 'grid', x1: left, x2: w, y1: y(v), y2: y(v) }));
    svg.append(el('text', { x: left - 8, y: y(v) + (i === 2 ? 12 : 4), 'text-anchor': 'end' }, rate(v)));
  }
  for (const m of [10, 5, 0]) {
    svg.append(el('text', { x: x(end - m * 60e3), y: h - 4, 'text-anchor': m === 10 ? 'start' : m ? 'middle' : 'end' }, m ? `${m} min ago` : 'now'));
  }
  const area = (name, low, high) => {
    if (points.length < 2) return;
    const up = points.map((p) => `${x(p.at).toFixed(1)},${y(high(p)).toFixed(1)}`);
    const down = points.map((p) => `${x(p.at).toFixed(1)},${y(low(p)).toFixed(1)}`).reverse();
    svg.append(el('polygon', { class: name, points: up.concat(down).join(' ') }));
  };
  area('own', () => 0, (p) => p.own);
  area('peers', (p) => p.own, (p) => p.own + p.peers);
  box.replaceChildren(svg);
}

function row(r, watching, now) {
  const tr = document.createElement('tr');
  const age = r.newest ? span((now - Date.parse(r.newest)) / 1000) : '–';
  [r.rendition, watching[r.rendition] || 0, r.segments_signed, r.sequence, bytes(r.bytes), age, r.lag_ms + ' ms'].forEach((v, i) => {
    const td = document.createElement('td');
    if (i) td.className = 'n';
    td.textContent = v;
    tr.append(td);
  });
  return tr;
}

function show(s, history) {
  document.title = `${s.name} · ${s.audience.viewers} watching`;
  say('name', s.name);
  const state = at('state');
  state.className = 'state ' + (s.source_ok ? 'good' : 'bad');
  say('state', s.source_ok ? 'source is fine' : 'source does not answer');
  say('viewers', String(s.audience.viewers));
  say('helpers', s.audience.helpers === 1 ? 'and 1 helper' : `and ${s.audience.helpers} helpers`);
  say('offload', s.consumed_bytes_estimate > 0 ? Math.round(100 * s.offload_estimate) + ' %' : '–');
  say('sent', bytes(s.audience.sent_bytes) + ' so far');
  say('lag', s.lag_ms + ' ms');
  at('renditions').replaceChildren(...s.renditions.map((r) => row(r, s.audience.watching, Date.now())));
  let source = `${bytes(s.bytes_fetched)} fetched from the source`;
  if (s.segments_skipped) source += `, ${s.segments_skipped} segments left out`;
  if (s.source_restarts) source += `, ${s.source_restarts} new beginnings`;
  if (s.last_error) source += `. Last trouble ${span((Date.now() - Date.parse(s.last_error_at)) / 1000)} ago: ${s.last_error}`;
  say('source', source);
  at('link-card').hidden = !s.link;
  say('link', s.link || '');
  const points = rates(history);
  const last = points[points.length - 1];
  say('rate', last ? rate(last.own) : '–');
  say('now-own', last ? rate(last.own) : '');
  say('now-peers', last ? rate(last.peers) : '');
  draw(points);
}

async function refresh() {
  try {
    const get = async (path) => {
      const r = await fetch(path, { cache: 'no-store' });
      if (!r.ok) throw new Error(String(r.status));
      return r.json();
    };
    const [s, history] = await Promise.all([get('api/stats'), get('api/history')]);
    show(s, history);
  } catch {
    at('state').className = 'state bad';
    say('state', 'the publisher does not answer');
  }
  setTimeout(refresh, document.hidden ? 10000 : 2000);
}

at('copy').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(at('link').textContent);
    say('copy', 'Copied');
  } catch {
    getSelection().selectAllChildren(at('link'));
    say('copy', 'Press Ctrl+C');
  }
  setTimeout(() => say('copy', 'Copy'), 2000);
});

refresh();

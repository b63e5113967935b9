// What Coral tells of the channel, and the button that pauses sharing.

import { L, rate, rateBeside } from './words.js';

const every = 1000; // milliseconds between two questions
const over = 4; // answers that the rate of sharing is measured over
const within = 5000; // an answer takes no longer
const idle = 1000; // bits per second that are nobody's asking, but the swarm's chatter

// Status asks Coral once a second and sends a "change" event for each answer.
export class Status extends EventTarget {
  constructor(base) {
    super();
    this.base = base;
    this.now = null; // the newest answer; see Status in node/proxy
    this.trouble = ''; // "silent": nobody answers; "closed": the channel is not there any more
    this.past = [];
    document.addEventListener('visibilitychange', () => document.hidden || this.#ask());
    this.#run();
  }

  async #run() {
    for (;;) {
      if (!document.hidden || !this.now) await this.#ask();
      await new Promise((f) => setTimeout(f, every));
    }
  }

  async #ask() {
    try {
      const answer = await fetch(new URL('status.json', this.base), { signal: AbortSignal.timeout(within) });
      if (answer.ok) {
        this.now = await answer.json();
        this.past = [...this.past.slice(1 - over), { sent: this.now.sent, at: this.now.at }];
        this.trouble = '';
      } else {
        this.trouble = answer.status === 404 ? 'closed' : 'silent';
      }
    } catch {
      this.trouble = 'silent';
    }
    this.dispatchEvent(new Event('change'));
  }

  // pauseSharing returns whether Coral has heard it.
  async pauseSharing(paused) {
    try {
      const answer = await fetch(new URL('share', this.base), {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ paused }),
        signal: AbortSignal.timeout(within),
      });
      await this.#ask();
      return answer.ok;
    } catch {
      return false;
    }
  }

  get channel() { return this.now?.channel ?? ''; }
  get paused() { return this.now?.sharing === 'paused'; }

  // canPause says whether there is anything to pause.
  get canPause() {
    return !!this.now && !this.trouble && this.now.verified !== 'unsigned' && !['off', 'watch-only', 'unasked'].includes(this.now.sharing);
  }

  // sending is what goes to other viewers now, in bits per second.
  get sending() {
    const [first, last] = [this.past[0], this.past.at(-1)];
    return last && last.at > first.at ? Math.max(0, (last.sent - first.sent) * 8000 / (last.at - first.at)) : 0;
  }

  // shares are the parts of the last 30 seconds that came from viewers, origin and cache.
  get shares() {
    if (!this.now) return [0, 0, 0];
    const { from_peers: p, from_origin: o, from_cache: c } = this.now;
    const all = p + o + c;
    return all ? [p / all, o / all, c / all] : [0, 0, 0];
  }

  // sentence says where the picture comes from.
  sentence() {
    if (!this.now) return '';
    return [origin(this.now, this.shares), sharing(this.now, this.sending), verified(this.now)].filter(Boolean).join(' ');
  }
}

function origin(now, [peers, fromOrigin, cache]) {
  if (now.verified === 'unsigned') return L('An ordinary playlist: from its own server alone, not shared, and signed by nobody.');
  const n = Math.max(1, now.givers);
  const percent = (x) => Math.min(99, Math.max(1, Math.round(100 * x)));
  const say = (one, more) => L(n === 1 ? one : more, { n, percent: percent(peers) });
  if (peers && fromOrigin && cache) {
    return say('From {n} viewer, the origin and the cache: {percent} % from viewers.', 'From {n} viewers, the origin and the cache: {percent} % from viewers.');
  }
  if (peers && fromOrigin) return say('From {n} viewer and the origin: {percent} % from viewers.', 'From {n} viewers and the origin: {percent} % from viewers.');
  if (peers && cache) return say('From {n} viewer and the cache: {percent} % from viewers.', 'From {n} viewers and the cache: {percent} % from viewers.');
  if (peers) return say('From {n} viewer, none of it from the origin.', 'From {n} viewers, none of it from the origin.');
  if (fromOrigin && cache) return L('From the origin and the cache: {percent} % from the origin.', { percent: percent(fromOrigin) });
  if (fromOrigin) return L('From the origin.');
  if (cache) return L('From this machine’s cache.');
  return L('Nothing has arrived yet.');
}

const reasons = {
  'watch-only': L('Watching only: nothing is shared.'),
  paused: L('Sharing is paused.'),
  metered: L('Not sharing: this network is metered.'),
  battery: L('Not sharing: this machine runs on battery.'),
  schedule: L('Not sharing at this hour: so says your week.'),
  budget: L('Not sharing: this month’s limit is used up.'),
  unasked: L('Not sharing: you have not been asked yet.'),
};

function sharing(now, sending) {
  if (now.verified === 'unsigned') return '';
  if (now.sharing !== 'on') return reasons[now.sharing] ?? L('Not sharing.');
  if (sending < idle) return L('Ready to share; nobody asks.');
  if (now.upload_cap < 0) return L('Sharing {rate}.', { rate: rate(sending) });
  return L('Sharing {rate} of {cap}.', { rate: rateBeside(sending, now.upload_cap), cap: rate(now.upload_cap) });
}

function verified(now) {
  if (now.verified === 'yes') return L('Verified.');
  if (now.verified === 'no') return L('Not verified: the organiser’s signatures are late.');
  return '';
}

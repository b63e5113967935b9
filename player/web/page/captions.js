// Draws what the subtitles say. hls.js fetches and times them; drawn by the page
// rather than by the browser they make way for the controls.

import Hls from './hls.min.mjs';
import { L } from './words.js';

const look = 100; // milliseconds between looks at the time, while something is chosen
const kept = 2000; // cues of one track; older ones come again when somebody goes back

// Captions are the subtitle renditions and the captions within the picture.
export class Captions {
  constructor(player, element) {
    Object.assign(this, { player, element, chosen: null, drawn: '', cues: new Map(), within: [] });
    player.addEventListener('load', () => this.#listen(player.hls));
    player.addEventListener('change', () => this.#follow());
    setInterval(() => (this.chosen || this.drawn) && this.#draw(), look);
  }

  // #listen hears a new hls.js, whose times are new ones.
  #listen(hls) {
    this.cues.clear();
    this.within = [];
    hls.on(Hls.Events.NON_NATIVE_TEXT_TRACKS_FOUND, (_, { tracks }) => {
      for (const t of tracks) if (t.kind === 'captions' && t._id) this.within.push({ key: t._id, name: t.label });
      this.#changed();
    });
    hls.on(Hls.Events.CUES_PARSED, (_, { type, track, cues, subtitleTrack }) => {
      const key = type === 'captions' ? track : keyOf(subtitleTrack);
      const all = this.cues.get(key) ?? new Map();
      this.cues.set(key, all);
      for (const c of cues) all.set(c.id || `${c.startTime}|${c.text}`, c);
      for (const old of [...all.keys()].slice(0, Math.max(0, all.size - kept))) all.delete(old);
    });
  }

  // list is what can be chosen, each with a key that survives a new load.
  get list() {
    const renditions = (this.player.hls?.subtitleTracks ?? []).map((t, id) => ({ key: keyOf(t), name: t.name || t.lang, id }));
    return [...renditions, ...this.within];
  }

  choose(key) {
    this.chosen = key;
    this.#follow();
    this.#changed();
  }

  // next is what the key C chooses: the next one, or off after the last.
  next() {
    const { list } = this;
    const to = list[list.findIndex((s) => s.key === this.chosen) + 1];
    this.choose(to?.key ?? null);
    return L('Subtitles: {what}', { what: to ? to.name : L('Off') });
  }

  #changed() {
    this.player.dispatchEvent(new Event('change'));
  }

  // #follow has hls.js fetch what was chosen.
  #follow() {
    const { hls } = this.player;
    if (!hls?.subtitleTracks.length) return;
    const id = this.list.find((s) => s.key === this.chosen)?.id ?? -1;
    if (hls.subtitleTrack !== id) hls.subtitleTrack = id;
  }

  #draw() {
    const now = this.player.position;
    const cues = [...(this.cues.get(this.chosen)?.values() ?? [])].filter((c) => c.startTime <= now && now < c.endTime);
    const drawn = cues.map((c) => `${c.line}|${c.align}|${c.text}`).join('\n');
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const places = { high: document.createElement('div'), low: document.createElement('div') };
    for (const cue of cues) {
      const line = document.createElement('p');
      line.className = { start: 'left', left: 'left', end: 'right', right: 'right' }[cue.align] ?? '';
      const text = document.createElement('span');
      text.append(cue.getCueAsHTML());
      line.append(text);
      const high = typeof cue.line === 'number' && (cue.snapToLines ? cue.line >= 0 && cue.line < 6 : cue.line < 50);
      places[high ? 'high' : 'low'].append(line);
    }
    for (const [name, place] of Object.entries(places)) place.className = name;
    this.element.replaceChildren(places.high, places.low);
  }
}

const keyOf = (t) => `${t.lang ?? ''}|${t.name ?? ''}`;

// Draws what the subtitles say. hls.js fetches and times them; drawn by the page
// rather than by the browser they can make way for the controls.

import { L } from './words.js';

// Captions are the subtitle renditions and the captions within the picture.
export class Captions {
  constructor(player, element) {
    Object.assign(this, { player, element, chosen: null, drawn: '' });
    const tracks = player.video.textTracks;
    tracks.addEventListener('addtrack', ({ track }) => track.addEventListener('cuechange', () => this.#draw()));
    player.addEventListener('change', () => this.#follow());
  }

  // list is what can be chosen, each with a key that survives a new load.
  get list() {
    const { hls, video } = this.player;
    const out = (hls?.subtitleTracks ?? []).map((t, id) => ({ key: `s${t.lang}|${t.name}`, name: t.name || t.lang, language: t.lang, id }));
    for (const track of video.textTracks) {
      if (track.kind === 'captions' && track.cues?.length) out.push({ key: `c${track.language}|${track.label}`, name: track.label, language: track.language, track });
    }
    return out;
  }

  choose(key) {
    this.chosen = key;
    this.#follow();
    this.player.dispatchEvent(new Event('change'));
  }

  // next is what the key C chooses: the next one, or off after the last.
  next() {
    const { list } = this;
    const i = list.findIndex((s) => s.key === this.chosen);
    const to = list[i + 1];
    this.choose(to?.key ?? null);
    return to ? L('Subtitles: {what}', { what: to.name }) : L('Subtitles: {what}', { what: L('Off') });
  }

  // #follow has hls.js and the tracks do what was chosen.
  #follow() {
    const { hls } = this.player;
    if (!hls) return;
    const now = this.list.find((s) => s.key === this.chosen);
    const id = now && !now.track ? now.id : -1;
    if (hls.subtitleTrack !== id && hls.subtitleTracks.length) hls.subtitleTrack = id;
    for (const track of this.player.video.textTracks) {
      if (track.kind !== 'captions') continue;
      const mode = track === now?.track ? 'hidden' : 'disabled';
      if (track.mode !== mode) track.mode = mode;
    }
    this.#draw();
  }

  #draw() {
    const cues = [];
    if (this.chosen) {
      for (const track of this.player.video.textTracks) {
        if (track.mode !== 'disabled' && track.kind !== 'metadata') cues.push(...(track.activeCues ?? []));
      }
    }
    const drawn = cues.map((c) => `${c.line}|${c.align}|${c.text}`).join('\n');
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const places = { high: document.createElement('div'), low: document.createElement('div') };
    for (const cue of cues) {
      const line = document.createElement('p');
      line.className = cue.align === 'start' || cue.align === 'left' ? 'left' : cue.align === 'end' || cue.align === 'right' ? 'right' : '';
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

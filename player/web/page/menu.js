// The menu of renditions, sound, subtitles and speed. It lists what there is a
// choice of, and nothing else.

import { speeds } from './player.js';
import { L, rate } from './words.js';

export class Menu {
  constructor(player, captions, element) {
    Object.assign(this, { player, captions, element, drawn: '' });
    player.addEventListener('change', () => element.hidden || this.#draw());
    element.addEventListener('keydown', (e) => this.#key(e));
  }

  get open() { return !this.element.hidden; }

  set open(on) {
    if (on) this.#draw();
    this.element.hidden = !on;
    if (on) (this.element.querySelector('[aria-checked=true]') ?? this.element.querySelector('button'))?.focus();
  }

  // groups are the choices: each with a name and items {text, on, choose}.
  get groups() {
    const { player, captions } = this;
    const { renditions, rendition, audio } = player;
    const out = [];
    const name = (r) => [r.height ? `${r.height}p` : '', r.bitrate > 1 ? rate(r.bitrate) : ''].filter(Boolean).join(' · ');
    if (renditions.length) {
      const plays = renditions.find((r) => r.id === rendition.id);
      const auto = !rendition.pinned && plays?.height ? L('Auto: {what}', { what: `${plays.height}p` }) : L('Auto');
      out.push({ name: L('Rendition'), items: [
        { text: auto, on: !rendition.pinned, choose: () => player.chooseRendition(-1) },
        ...renditions.map((r) => ({ text: name(r), on: rendition.pinned && r.id === rendition.id, choose: () => player.chooseRendition(r.id) })),
      ] });
    }
    if (audio.length > 1) {
      out.push({ name: L('Sound'), items: audio.map((t, n) => ({
        text: t.name || t.language || L('Track {n}', { n: n + 1 }), on: t.selected, choose: () => player.chooseAudio(t.id),
      })) });
    }
    if (captions.list.length) {
      const items = captions.list.map((s, n) => ({ text: s.name || L('Track {n}', { n: n + 1 }), on: s.key === captions.chosen, choose: () => captions.choose(s.key) }));
      out.push({ name: L('Subtitles'), items: [{ text: L('Off'), on: !items.some((i) => i.on), choose: () => captions.choose(null) }, ...items] });
    }
    if (!player.live && player.reach.seekable) {
      const format = new Intl.NumberFormat(document.documentElement.lang);
      out.push({ name: L('Speed'), flow: true, items: speeds.map((s) => ({
        text: `${format.format(s)}×`, on: Math.abs(s - player.speed) < 0.01, choose: () => { player.speed = s; },
      })) });
    }
    return out;
  }

  #draw() {
    const { element, groups } = this;
    const drawn = JSON.stringify(groups);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const focused = [...element.querySelectorAll('button')].indexOf(document.activeElement);
    element.replaceChildren(...groups.map((g) => {
      const box = document.createElement('fieldset');
      box.className = g.flow ? 'flow' : '';
      box.setAttribute('role', 'radiogroup');
      const title = document.createElement('legend');
      title.textContent = g.name;
      box.append(title, ...g.items.map((item) => {
        const b = document.createElement('button');
        b.textContent = item.text;
        b.setAttribute('role', 'radio');
        b.setAttribute('aria-checked', String(!!item.on));
        b.addEventListener('click', () => { item.choose(); this.#draw(); });
        return b;
      }));
      return box;
    }));
    if (focused >= 0) [...element.querySelectorAll('button')][focused]?.focus();
  }

  #key(e) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!by) return;
    const all = [...this.element.querySelectorAll('button')];
    all[(all.indexOf(document.activeElement) + by + all.length) % all.length]?.focus();
    e.preventDefault();
    e.stopPropagation();
  }
}

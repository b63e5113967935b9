// The bar that shows what can be reached and goes where it is pressed. While it
// is dragged the picture stays: one seek at the end is quicker than ten on the way.

import { L, time } from './words.js';

const $ = (id) => document.getElementById(id);

export class SeekBar {
  constructor(player, element) {
    Object.assign(this, { player, element, at: null, dragging: false });
    element.addEventListener('pointermove', (e) => this.#point(e));
    element.addEventListener('pointerleave', () => this.dragging || this.#leave());
    element.addEventListener('pointerdown', (e) => {
      if (e.button || !player.reach.seekable) return;
      element.setPointerCapture(e.pointerId);
      this.dragging = true;
      this.#point(e);
    });
    element.addEventListener('pointerup', (e) => {
      if (!this.dragging) return;
      this.dragging = false;
      player.seek(this.#when(e));
      if (e.pointerType === 'mouse') this.#point(e); else this.#leave();
    });
    element.addEventListener('pointercancel', () => { this.dragging = false; this.#leave(); });
    player.addEventListener('change', () => this.show());
  }

  #part(e) {
    const r = this.element.getBoundingClientRect();
    return Math.min(1, Math.max(0, (e.clientX - r.left) / r.width));
  }

  #when(e) {
    const { start, end } = this.player.reach;
    return start + this.#part(e) * (end - start);
  }

  #point(e) {
    const { seekable } = this.player.reach;
    this.at = seekable ? this.#part(e) : null;
    this.show();
  }

  #leave() {
    this.at = null;
    this.show();
  }

  // label says when a position is: from the beginning of a recording, before now if live.
  label(t) {
    const { start, end } = this.player.reach;
    if (!this.player.live) return time(t - start);
    return end - t >= 1 ? '−' + time(end - t) : L('Live');
  }

  show() {
    const { player, element } = this;
    const { start, end, fetched, seekable } = player.reach;
    const part = (t) => (end > start ? Math.min(1, Math.max(0, (t - start) / (end - start))) : 0);
    element.classList.toggle('off', !seekable);
    element.classList.toggle('drag', this.dragging);
    element.setAttribute('aria-disabled', String(!seekable));
    const atLive = player.live && player.atLive;
    const now = this.dragging ? this.at : atLive ? 1 : part(player.position);
    element.style.setProperty('--played', seekable ? now : 0);
    element.style.setProperty('--fetched', seekable ? Math.max(now, part(fetched)) : 0);
    element.setAttribute('aria-valuenow', Math.round(100 * now));
    element.setAttribute('aria-valuetext', this.text());
    const bubble = $('bubble');
    bubble.hidden = this.at === null;
    if (this.at !== null) {
      bubble.textContent = this.label(start + this.at * (end - start));
      const [room, w] = [element.clientWidth, bubble.offsetWidth];
      bubble.style.left = `${Math.min(room - w / 2, Math.max(w / 2, this.at * room))}px`;
    }
  }

  // text is the position in words, or short, between two times.
  text(between) {
    const { player } = this;
    const { start, end } = player.reach;
    if (between) return time(player.position - start) + between + time(end - start);
    if (!player.live) return L('{time} of {all}', { time: time(player.position - start), all: time(end - start) });
    return player.atLive ? L('This is live') : L('{time} behind live', { time: time(player.behind) });
  }
}

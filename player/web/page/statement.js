// What stands over the picture when there is none: progress, or an error with
// what to do.

import { L } from './words.js';

const patience = 600; // milliseconds until waiting is worth a word
const long = 10000; // until it is worth a question

export class Statement {
  constructor(player, status) {
    Object.assign(this, { player, status });
    const $ = (id) => document.getElementById(id);
    [this.box, this.dots, this.title, this.text, this.button] = ['statement', 'dots', 'statement-title', 'statement-text', 'retry'].map($);
    this.button.addEventListener('click', () => this.said?.press());
    for (const source of [player, status]) source.addEventListener('change', () => this.#show());
  }

  // #statement decides what is said: {title, text, moving, button, press}.
  #statement() {
    const { player, status } = this;
    const age = performance.now() - player.since;
    const again = { button: L('Try again'), press: () => player.load() };
    switch (player.phase) {
      case 'failed':
        return {
          title: L('This browser cannot play the channel'),
          text: player.why.codec
            ? L('This browser does not know the channel’s format ({codec}). Another browser or player may.', player.why)
            : L('It has no Media Source Extensions. Open this page in a current Firefox, Chrome, Edge or Safari, or copy the channel’s address from Coral into another player.'),
        };
      case 'ended':
        return player.wasLive
          ? { title: L('The broadcast has ended'), text: L('If the channel goes on air again, this page goes on by itself.'), button: L('From the beginning'), press: () => player.play() }
          : { title: L('The recording is over'), button: L('From the beginning'), press: () => player.play() };
      case 'playing':
        return null;
    }
    if (age < patience && player.phase !== 'loading') return null;
    if (status.trouble === 'closed') {
      return {
        title: L('This channel was closed in Coral'),
        text: L('Open it there again, and then this page from there: its address is a new one.'), ...again,
      };
    }
    if (status.trouble === 'silent') {
      return { title: L('Coral does not answer'), text: L('Is it still running? Once it is back, this page goes on by itself.'), moving: true };
    }
    if (player.phase === 'recovering' || player.retries > 0) {
      return {
        title: L('The channel broke off'), moving: true,
        text: L('It is being brought back. If that lasts: is this machine connected, and is the channel on air?'),
      };
    }
    if (age > long) {
      return { title: L('The picture takes long'), moving: true, text: L('Is this machine connected, and is the channel on air? This page goes on trying.') };
    }
    return { title: player.phase === 'loading' ? L('Opening the channel…') : L('Waiting for the picture…'), moving: true };
  }

  #show() {
    const said = this.#statement();
    this.said = said;
    this.box.hidden = !said;
    if (!said) return;
    this.dots.hidden = !said.moving;
    if (this.title.textContent !== said.title) this.title.textContent = said.title;
    if (this.text.textContent !== (said.text ?? '')) this.text.textContent = said.text ?? '';
    this.button.hidden = !said.button;
    if (said.button && this.button.textContent !== said.button) this.button.textContent = said.button;
  }
}

// The buttons over the picture, the line under it, and when they go away.

import { L, label } from './words.js';

const $ = (id) => document.getElementById(id);
const rest = 3000; // milliseconds without a hand until the controls go
const saidFor = 1200;
const doubleTap = 300;

export class Controls {
  constructor(player, status, captions, menu, seekbar) {
    Object.assign(this, { player, status, captions, menu, seekbar, stage: $('stage') });
    const on = (id, act) => $(id).addEventListener('click', act);
    on('play', () => player.toggle());
    on('big', () => player.play());
    on('mute', () => { player.muted = !player.muted; });
    on('sound', () => { player.muted = false; });
    on('live', () => player.goLive());
    on('subtitles', () => this.say(captions.next()));
    on('tune', () => this.#tune(!menu.open));
    on('keys', () => this.help());
    on('help-close', () => this.help());
    on('mini', () => this.miniPlayer());
    on('full', () => this.fullScreen());
    on('share', () => this.pauseSharing());
    on('pause-sharing', () => this.pauseSharing());
    $('volume').addEventListener('input', (e) => { player.volume = e.target.value / 100; });

    const { stage } = this;
    for (const e of ['pointermove', 'pointerdown', 'focusin', 'wheel']) stage.addEventListener(e, (e) => e.pointerType === 'touch' || this.stir(), { passive: true });
    stage.addEventListener('pointerleave', () => this.#rest());
    stage.addEventListener('click', (e) => this.#picture(e));
    document.addEventListener('pointerdown', (e) => menu.open && !e.target.closest('#menu, #tune') && this.#tune(false));
    document.addEventListener('fullscreenchange', () => this.#show());
    player.addEventListener('change', () => this.#show());
    status.addEventListener('change', () => this.#tell());
    this.#show();
    this.stir();
  }

  // covered says whether a sheet has the keyboard.
  get covered() { return $('help').open; }

  // stir shows the controls for a while.
  stir() {
    this.stage.classList.remove('idle');
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#rest(), rest);
  }

  #rest() {
    const busy = this.player.paused || this.menu.open || this.covered || this.seekbar.dragging || $('bar').matches(':has(:focus-visible)');
    this.stage.classList.toggle('idle', !busy);
    if (busy) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#rest(), rest);
    }
  }

  // #picture takes a click on the picture: a mouse plays and pauses, twice for
  // full screen; a finger brings the controls, twice seeks.
  #picture(e) {
    if (e.target.closest('button, input, dialog, #bar, #menu, #statement')) return;
    const now = performance.now();
    const twice = now - (this.clicked ?? -Infinity) < doubleTap;
    this.clicked = twice ? -Infinity : now;
    if (e.pointerType !== 'touch') {
      this.player.toggle();
      if (twice) this.fullScreen();
      return;
    }
    if (twice) {
      const r = this.stage.getBoundingClientRect();
      const by = (e.clientX - r.left) / r.width < 0.5 ? -10 : 10;
      this.player.seek(this.player.position + by);
      this.say(by < 0 ? '−10 s' : '+10 s');
      return;
    }
    if (this.stage.classList.contains('idle')) this.stir(); else this.#rest();
  }

  #tune(open) {
    this.menu.open = open;
    $('tune').setAttribute('aria-expanded', String(open));
    if (!open) $('tune').focus({ preventScroll: true });
    this.stir();
  }

  // help shows the keys, or hides them.
  help() {
    if ($('help').open) return $('help').close();
    if (this.menu.open) this.#tune(false);
    $('help').showModal();
  }

  // back leads one step back.
  back() {
    if (this.covered) this.help();
    else if (this.menu.open) this.#tune(false);
    else if (document.fullscreenElement) document.exitFullscreen();
    else document.activeElement?.blur();
  }

  fullScreen() {
    const { stage, player } = this;
    if (document.fullscreenElement) document.exitFullscreen();
    else if (stage.requestFullscreen) stage.requestFullscreen().catch(() => {});
    else player.video.webkitEnterFullscreen?.();
  }

  async miniPlayer() {
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await this.player.video.requestPictureInPicture();
    } catch { /* the browser does not let us, and its button is not there either */ }
  }

  async pauseSharing() {
    const { status } = this;
    if (!status.canPause) return;
    const paused = !status.paused;
    const heard = await status.pauseSharing(paused);
    if (!heard) this.say(L('Coral could not be told. Is it still running?'));
    else if (paused && document.fullscreenElement) this.say(L('Sharing is paused.'));
  }

  // say shows a word over the picture for a moment.
  say(text) {
    const said = $('said');
    said.textContent = text;
    said.classList.add('on');
    clearTimeout(this.saying);
    this.saying = setTimeout(() => said.classList.remove('on'), saidFor);
  }

  #show() {
    const { player, captions, menu } = this;
    const { seekable } = player.reach;
    const icon = (id, name) => {
      const use = $(id).querySelector('use');
      if (use.getAttribute('href') !== `#icon-${name}`) use.setAttribute('href', `#icon-${name}`);
    };
    const stopped = player.paused || player.phase === 'ended';
    icon('play', player.phase === 'ended' ? 'replay' : stopped ? 'play' : 'pause');
    label($('play'), stopped ? L('Play (Space)') : L('Pause (Space)'));
    label($('big'), L('Play'));
    $('big').hidden = !(player.paused && player.phase === 'playing' || player.paused && player.phase === 'loading' && player.video.readyState >= 2);
    icon('mute', player.muted ? 'mute' : player.volume < 0.5 ? 'volume-low' : 'volume');
    label($('mute'), player.muted ? L('Sound on (M)') : L('Mute (M)'));
    const level = Math.round(100 * (player.muted ? 0 : player.volume));
    $('volume').value = level;
    $('volume').style.setProperty('--level', `${level}%`);
    $('sound').hidden = !player.silenced || !player.muted;

    const live = $('live');
    live.hidden = !player.live;
    live.classList.toggle('behind', !player.atLive);
    live.lastElementChild.textContent = player.atLive ? L('Live') : L('Go live');
    label(live, player.atLive ? L('This is live') : L('Go to the live edge (End)'));
    live.disabled = player.atLive;
    $('clock').textContent = player.live ? (player.atLive ? '' : this.seekbar.label(player.position)) : seekable ? this.seekbar.text(' / ') : '';

    const list = captions.list;
    $('subtitles').hidden = !list.length;
    $('subtitles').setAttribute('aria-pressed', String(list.some((s) => s.key === captions.chosen)));
    $('tune').hidden = !menu.groups.length;
    if (menu.open && !menu.groups.length) this.#tune(false);
    $('mini').hidden = !document.pictureInPictureEnabled;
    const full = !!document.fullscreenElement;
    $('full').hidden = !(document.fullscreenEnabled || player.video.webkitEnterFullscreen);
    icon('full', full ? 'full-exit' : 'full');
    label($('full'), full ? L('Leave full screen (F)') : L('Full screen (F)'));
    $('share').hidden = !full || !this.status.canPause;
    if (stopped) this.stage.classList.remove('idle');
  }

  // #tell shows what Coral told.
  #tell() {
    const { status } = this;
    if (status.channel && $('channel').textContent !== status.channel) {
      $('channel').textContent = status.channel;
      document.title = `${status.channel} · Coral`;
    }
    const sentence = status.trouble === 'silent' ? L('Coral does not answer') + '.' : status.sentence();
    if ($('source').textContent !== sentence) $('source').textContent = sentence;
    const shares = $('shares');
    status.shares.forEach((part, i) => { shares.children[i].style.flexGrow = part; });
    const percent = status.shares.map((x) => `${Math.round(100 * x)} %`).join(', ');
    shares.setAttribute('aria-label', `${L('From viewers, origin, cache')}: ${percent}`);
    const button = $('pause-sharing');
    button.hidden = !status.canPause;
    const text = status.paused ? L('Resume sharing') : L('Pause sharing');
    if (button.lastElementChild.textContent !== text) button.lastElementChild.textContent = text;
    label(button, `${text} (S)`);
    for (const b of [button, $('share')]) b.classList.toggle('paused', status.paused);
    label($('share'), `${text} (S)`);
  }
}

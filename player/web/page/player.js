// hls.js and the video element: one state, what can be done to it, and how a
// live channel that breaks off comes back.

import Hls from './hls.min.mjs';

const firstRetry = 1; // seconds until a broken channel is loaded anew,
const lastRetry = 5; //  doubled each time up to this
const stuckAfter = 15; // seconds without a picture that should play, then it is loaded anew
const offAirEvery = 10; // seconds between looks whether an ended broadcast goes on
const liveSlack = 4; // seconds behind the live position that are still called live
const leastRange = 3; // seconds that are worth a seek bar
const frame = 1 / 25; // a step, where the real rate is not known
export const speeds = [0.5, 0.75, 1, 1.25, 1.5, 2];

// The proxy answers in the end, or is away for a moment: everything but "there
// is no such thing" is asked for again, and for as long as it takes.
const again = {
  maxNumRetry: Infinity, retryDelayMs: 500, maxRetryDelayMs: 2000,
  shouldRetry: (config, n, timeout, response) => response?.code !== 404,
};
const policy = (firstByte, whole) => ({
  default: { maxTimeToFirstByteMs: firstByte, maxLoadTimeMs: whole, timeoutRetry: again, errorRetry: again },
});

const config = {
  workerPath: new URL('hls.worker.js', import.meta.url).href,
  autoStartLoad: false,
  backBufferLength: 60,
  renderTextTracksNatively: false, // see captions.js
  maxLiveSyncPlaybackRate: 1.05, // what a stall cost is caught up with
  manifestLoadPolicy: policy(15000, 20000), // the proxy holds a first playlist for up to 10 s
  playlistLoadPolicy: policy(15000, 20000),
  fragLoadPolicy: policy(20000, 120000), // bytes may still be on their way to the proxy
};

// Player tells of each change with a "change" event, and of each new hls.js with
// a "load" event.
export class Player extends EventTarget {
  // base is the channel's place in the proxy: play/auto.m3u8 is of the variant that
  // Coral chooses, segment by segment; play/rewind.m3u8 of all.
  constructor(video, freeze, base) {
    super();
    Object.assign(this, { video, freeze, base });
    this.phase = 'loading'; // playing (also while paused), buffering, recovering, ended, failed
    this.why = null; // of failed: {codec}, or {} if the browser lacks what it takes
    this.wasLive = false;
    this.retries = 0;
    this.since = performance.now(); // when the phase began
    this.moved = this.since; // when the picture last moved
    this.variants = []; // all that there are, as the channel lists them
    this.pinned = null; // the one that was chosen here; null: Coral chooses
    for (const e of ['play', 'pause', 'playing', 'waiting', 'seeking', 'seeked', 'timeupdate', 'volumechange', 'ratechange', 'progress', 'durationchange']) {
      video.addEventListener(e, () => this.#look(e));
    }
    video.addEventListener('ended', () => this.#ended());
    setInterval(() => this.#look('tick'), 500);
  }

  // load begins, or begins anew: a live channel behind its live position, a recording at a time.
  load({ behind = 0, at = -1 } = {}) {
    clearTimeout(this.timer);
    this.hls?.destroy();
    this.details = null;
    this.moved = performance.now();
    this.wantsLive = behind <= liveSlack && at < 0; // until somebody goes back or pauses
    if (!Hls.isSupported()) return this.#become('failed', {});
    const hls = (this.hls = new Hls(config));
    this.dispatchEvent(new Event('load'));
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      this.#pin();
      hls.startLoad(at);
      this.#emit();
    });
    hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => {
      const first = !this.details;
      this.details = details;
      this.wasLive ||= details.live;
      if (first && details.live && behind > liveSlack) {
        hls.startLoad(Math.max(details.fragmentStart, this.liveAt() - behind));
      }
      this.#emit();
    });
    for (const e of ['LEVEL_SWITCHED', 'LEVELS_UPDATED', 'AUDIO_TRACKS_UPDATED', 'AUDIO_TRACK_SWITCHED', 'SUBTITLE_TRACKS_UPDATED', 'SUBTITLE_TRACK_SWITCH']) {
      hls.on(Hls.Events[e], () => this.#emit());
    }
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && this.#failed(data));
    hls.loadSource(new URL(this.pinned ? 'play/rewind.m3u8' : 'play/auto.m3u8', this.base).href);
    hls.attachMedia(this.video);
    this.#play();
    this.#list();
  }

  // #list learns what there is to choose from.
  async #list() {
    try {
      const text = await (await fetch(new URL('play/variants.m3u8', this.base))).text();
      const number = (attributes, name) => Number(attributes.match(name)?.[1] ?? 0);
      this.variants = [...text.matchAll(/^#EXT-X-STREAM-INF:(.*)$/gm)].map(([, a], id) => ({
        id, width: number(a, /RESOLUTION=(\d+)/), height: number(a, /RESOLUTION=\d+x(\d+)/),
        bitrate: number(a, /AVERAGE-BANDWIDTH=(\d+)/) || number(a, /BANDWIDTH=(\d+)/),
      }));
      this.#emit();
    } catch { /* with the next load */ }
  }

  // #play begins with sound, or without it where the browser wants a click first.
  async #play() {
    const { video } = this;
    try {
      await video.play();
    } catch (err) {
      if (err.name !== 'NotAllowedError') return;
      video.muted = true;
      this.silenced = true;
      try {
        await video.play();
      } catch { /* then the reader presses play */ }
    }
    this.#emit();
  }

  #failed(data) {
    const codec = data.details === Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR || data.details === Hls.ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR;
    if (codec) {
      this.hls.destroy();
      return this.#become('failed', { codec: data.levels?.[0]?.attrs?.CODECS || data.mimeType || 'HLS' });
    }
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && !this.mended) {
      this.mended = true; // once; what still fails then is loaded anew
      setTimeout(() => { this.mended = false; }, stuckAfter * 1000);
      return this.hls.recoverMediaError();
    }
    this.recover();
  }

  // recover loads what plays anew, after a pause that grows.
  recover() {
    const resume = this.resume;
    this.#hold();
    this.hls?.destroy();
    this.hls = null;
    this.details = null;
    this.#become('recovering');
    const wait = Math.min(lastRetry, firstRetry * 2 ** this.retries++);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(resume), wait * 1000);
  }

  // #hold keeps the last picture in view while the video element has none.
  #hold() {
    const { video, freeze } = this;
    if (video.readyState < 2 || !video.videoWidth) return;
    [freeze.width, freeze.height] = [video.videoWidth, video.videoHeight];
    freeze.getContext('2d').drawImage(video, 0, 0);
    freeze.hidden = false;
  }

  async #ended() {
    if (this.live) return this.recover(); // a live channel has no end
    this.#become('ended');
    while (this.wasLive && this.phase === 'ended') {
      await new Promise((f) => setTimeout(f, offAirEvery * 1000));
      try {
        const level = this.hls.levels[Math.max(0, this.hls.currentLevel)];
        const text = await (await fetch(level.url[0] ?? level.url)).text();
        if (this.phase === 'ended' && text.startsWith('#EXTM3U') && !text.includes('#EXT-X-ENDLIST')) this.load();
      } catch { /* next time */ }
    }
  }

  #look(what) {
    const { video } = this;
    const now = performance.now();
    if (video.paused || video.currentTime !== this.seenAt) this.moved = now;
    this.seenAt = video.currentTime;
    if (what === 'pause' && !video.ended) this.wantsLive = false;
    const settled = ['ended', 'failed', 'recovering'].includes(this.phase);
    if (what === 'play' || what === 'seeking') {
      if (this.phase === 'ended' && !video.ended) this.#become('buffering');
    } else if (!settled && this.hls && video.readyState >= 3) {
      this.#become('playing');
      if (now - this.since > stuckAfter * 1000) this.retries = 0;
    } else if (this.phase === 'playing' && !video.paused && video.readyState < 3) {
      this.#become('buffering');
    }
    if (!settled && this.hls && now - this.moved > stuckAfter * 1000 && this.details) this.recover();
    if (what === 'tick') this.#keepUp();
    this.#emit();
  }

  // #keepUp makes good what a slow start or a stall cost, once what is skipped to
  // is here: another stall would cost more.
  #keepUp() {
    const { video } = this;
    if (!this.wantsLive || !this.live || !this.details || this.phase !== 'playing' || video.paused || this.behind < liveSlack) return;
    const to = this.liveAt();
    for (let i = 0; i < video.buffered.length; i++) {
      if (video.buffered.start(i) <= to && video.buffered.end(i) > to + 1) video.currentTime = to;
    }
  }

  #become(phase, why = null) {
    if (phase !== this.phase) this.since = performance.now();
    [this.phase, this.why] = [phase, why];
    if (phase === 'playing') this.freeze.hidden = true;
    this.#emit();
  }

  #emit() {
    this.dispatchEvent(new Event('change'));
  }

  // What is true now. Times are seconds on the video element's scale.

  get live() { return this.details ? this.details.live : this.wasLive && this.phase !== 'ended'; }
  get position() { return this.video.currentTime; }
  get paused() { return this.video.paused; }
  get atLive() { return this.live && this.behind < liveSlack; }
  get behind() { return this.live && this.details ? Math.max(0, this.liveAt() - this.position) : 0; }

  // liveAt is the newest position that plays without a stall.
  liveAt() { return Math.max(this.hls?.liveSyncPosition ?? 0, this.details?.fragmentStart ?? 0); }

  // reach is what can be gone to.
  get reach() {
    const { video, details } = this;
    let [start, end] = [0, Number.isFinite(video.duration) ? video.duration : 0];
    if (this.live) {
      if (!details) return { start: 0, end: 0, fetched: 0, seekable: false };
      start = details.fragmentStart;
      for (let i = 0; i < video.buffered.length; i++) { // what has left the playlist may still be here
        if (video.buffered.start(i) < start && video.buffered.end(i) >= start) start = video.buffered.start(i);
      }
      end = Math.max(this.liveAt(), this.position);
    }
    let fetched = this.position;
    for (let i = 0; i < video.buffered.length; i++) {
      if (video.buffered.start(i) <= this.position + 0.5) fetched = Math.max(fetched, Math.min(end, video.buffered.end(i)));
    }
    return { start, end, fetched, seekable: end - start >= leastRange };
  }

  // resume is what load needs to go on from here.
  get resume() {
    return this.live || !this.video.duration ? { behind: this.atLive ? 0 : this.behind } : { at: this.video.currentTime };
  }

  get renditions() {
    if (this.variants.length < 2) return [];
    return [...this.variants].sort((a, b) => b.height - a.height || b.bitrate - a.bitrate);
  }

  // rendition is what is shown; with id -1 nobody knows.
  get rendition() {
    const shown = this.pinned ?? this.variants.find((v) => v.height === this.video.videoHeight);
    return { pinned: !!this.pinned, id: shown?.id ?? -1 };
  }
  get audio() { return (this.hls?.audioTracks ?? []).map((t, id) => ({ id, name: t.name, language: t.lang, selected: id === this.hls.audioTrack })); }

  // What can be done.

  toggle() { this.video.paused || this.phase === 'ended' ? this.play() : this.video.pause(); }

  play() {
    if (this.phase === 'ended') this.video.currentTime = this.reach.start;
    this.video.play().catch(() => {});
  }

  pause() { this.video.pause(); }

  seek(to) {
    const { start, end, seekable } = this.reach;
    if (!seekable) return;
    if (this.live && to >= end - 1) return this.goLive();
    this.wantsLive = false;
    this.video.currentTime = Math.min(end, Math.max(start, to));
  }

  goLive() {
    if (!this.live || !this.details) return;
    this.wantsLive = true;
    this.video.currentTime = this.liveAt();
    this.play();
  }

  step(frames) {
    this.video.pause();
    this.video.currentTime = Math.max(0, this.position + frames * frame);
  }

  set volume(v) {
    this.video.volume = Math.min(1, Math.max(0, v));
    this.muted = v <= 0;
  }

  get volume() { return this.video.volume; }
  get muted() { return this.video.muted; }

  set muted(on) {
    this.silenced = false;
    if (!on && this.video.volume === 0) this.video.volume = 0.5;
    this.video.muted = on;
  }

  get speed() { return this.video.playbackRate; }
  set speed(x) { if (!this.live) this.video.playbackRate = x; }

  faster(steps) {
    const i = speeds.findIndex((s) => s >= this.speed - 0.01);
    this.speed = speeds[Math.min(speeds.length - 1, Math.max(0, (i < 0 ? speeds.indexOf(1) : i) + steps))];
  }

  // chooseRendition pins a variant, or with -1 leaves the choice to Coral.
  chooseRendition(id) {
    const [before, paused] = [this.pinned, this.paused];
    this.pinned = this.variants.find((v) => v.id === id) ?? null;
    if (this.pinned && before && this.hls) {
      this.hls.nextLevel = this.#level();
    } else if (this.pinned !== before) { // from one playlist to the other
      const resume = this.resume;
      this.#hold();
      this.load(resume);
      if (paused) this.video.pause();
    }
    this.#emit();
  }

  // #pin has hls.js play what was chosen.
  #pin() {
    if (this.pinned) this.hls.startLevel = this.hls.currentLevel = this.#level();
  }

  #level() {
    return this.hls.levels.findIndex((l) => l.height === this.pinned.height && l.bitrate === this.pinned.bitrate);
  }

  chooseAudio(id) { this.hls.audioTrack = id; }
}

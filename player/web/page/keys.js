// The keyboard, as in the app. A button that has the focus keeps Space and
// Enter, a slider keeps the arrows that are its own.

import { L } from './words.js';

const [arrow, letter] = [5, 10]; // seconds that they seek by
const louder = 0.05;

const help = [
  ['Play or pause', 'Space', 'K'], ['5 seconds back, on', '←', '→'], ['10 seconds back, on', 'J', 'L'],
  ['Louder, quieter', '↑', '↓'], ['Sound off', 'M'], ['Subtitles', 'C'],
  ['To the beginning', 'Home'], ['To the end, to live', 'End'], ['To tenths of it', '0', '…', '9'],
  ['Frame by frame', ',', '.'], ['Slower, faster (recordings)', '<', '>'],
  ['Full screen', 'F'], ['Mini player', 'P'], ['Pause sharing', 'S'], ['Back', 'Esc'],
];

// listen carries the keys out.
export function listen(player, captions, controls) {
  const list = document.getElementById('help-keys');
  list.replaceChildren(...help.map(([what, ...keys]) => {
    const line = document.createElement('div');
    const [name, how] = [document.createElement('dt'), document.createElement('dd')];
    name.textContent = L(what);
    how.append(...keys.map((k) => Object.assign(document.createElement(k === '…' ? 'span' : 'kbd'), { textContent: L(k) })));
    line.append(name, how);
    return line;
  }));

  const by = (seconds) => player.seek(player.position + seconds);
  const volume = (change) => {
    player.volume = Math.round(100 * ((player.muted ? 0 : player.volume) + change)) / 100;
    controls.say(`${Math.round(100 * player.volume)} %`);
  };
  const speed = (steps) => {
    if (player.live) return;
    player.faster(steps);
    controls.say(`${new Intl.NumberFormat(document.documentElement.lang).format(player.speed)}×`);
  };
  const held = { // these may repeat while the key is held down
    ArrowLeft: () => by(-arrow), ArrowRight: () => by(arrow), j: () => by(-letter), l: () => by(letter),
    ArrowUp: () => volume(louder), ArrowDown: () => volume(-louder),
    ',': () => player.step(-1), '.': () => player.step(1), '<': () => speed(-1), '>': () => speed(1),
  };
  const once = {
    ' ': () => player.toggle(), k: () => player.toggle(),
    f: () => controls.fullScreen(), m: () => { player.muted = !player.muted; }, p: () => controls.miniPlayer(),
    c: () => captions.list.length && controls.say(captions.next()),
    s: () => controls.pauseSharing(),
    Home: () => player.seek(player.reach.start), End: () => (player.live ? player.goLive() : player.seek(player.reach.end)),
    '?': () => controls.help(),
    Escape: () => controls.back(),
  };
  for (let n = 0; n <= 9; n++) {
    once[n] = () => {
      const { start, end } = player.reach;
      player.seek(start + (end - start) * n / 10);
    };
  }

  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.defaultPrevented) return;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    const { target } = e;
    if ([' ', 'Enter'].includes(key) && target.matches('button')) return;
    if (target.matches('input') && key.startsWith('Arrow')) return;
    if (controls.covered && !['Escape', '?'].includes(key)) return;
    const act = held[key] ?? (e.repeat ? null : once[key]);
    if (!act) return;
    e.preventDefault();
    controls.stir();
    act();
  });
}

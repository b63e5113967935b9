// Every text of the page. English texts are their own names; L finds the one of
// the browser's language.

const german = {
  'Live': 'Live',
  'Go live': 'Zu live',
  'Go to the live edge (End)': 'Zurück zu live (Ende)',
  'This is live': 'Das ist live',
  'Play (Space)': 'Abspielen (Leertaste)',
  'Pause (Space)': 'Pause (Leertaste)',
  'Play': 'Abspielen',
  'Mute (M)': 'Ton aus (M)',
  'Sound on (M)': 'Ton an (M)',
  'Sound on': 'Ton an',
  'Volume': 'Lautstärke',
  'Position': 'Position',
  'Subtitles (C)': 'Untertitel (C)',
  'Rendition, sound, speed': 'Bild, Ton, Tempo',
  'Mini player (P)': 'Mini-Player (P)',
  'Full screen (F)': 'Vollbild (F)',
  'Leave full screen (F)': 'Vollbild verlassen (F)',
  'Keys (?)': 'Tasten (?)',
  'Close (Esc)': 'Schließen (Esc)',
  'Rendition': 'Bildgröße',
  'Auto': 'Automatisch',
  'Auto: {what}': 'Automatisch: {what}',
  'Sound': 'Ton',
  'Subtitles': 'Untertitel',
  'Off': 'Aus',
  'Speed': 'Tempo',
  'Track {n}': 'Spur {n}',
  'Subtitles: {what}': 'Untertitel: {what}',
  '{n} kbit/s': '{n} kbit/s',
  '{n} Mbit/s': '{n} Mbit/s',
  '{n} Gbit/s': '{n} Gbit/s',
  '{time} behind live': '{time} hinter live',
  '{time} of {all}': '{time} von {all}',

  'Opening the channel…': 'Der Kanal wird geöffnet …',
  'Waiting for the picture…': 'Warten auf das Bild …',
  'The channel broke off': 'Die Übertragung brach ab',
  'It is being brought back. If that lasts: is this machine connected, and is the channel on air?':
    'Sie wird zurückgeholt. Wenn das dauert: Ist dieser Computer verbunden, und sendet der Kanal?',
  'The picture takes long': 'Das Bild lässt auf sich warten',
  'Is this machine connected, and is the channel on air? This page goes on trying.':
    'Ist dieser Computer verbunden, und sendet der Kanal? Diese Seite versucht es weiter.',
  'Coral does not answer': 'Coral antwortet nicht',
  'Is it still running? Once it is back, this page goes on by itself.':
    'Läuft es noch? Sobald es wieder da ist, geht es hier von selbst weiter.',
  'This channel was closed in Coral': 'Dieser Kanal wurde in Coral geschlossen',
  'Open it there again, and then this page from there: its address is a new one.':
    'Öffne ihn dort wieder, und dann diese Seite von dort: Ihre Adresse ist dann eine neue.',
  'The broadcast has ended': 'Die Sendung ist zu Ende',
  'If the channel goes on air again, this page goes on by itself.': 'Wenn der Kanal wieder sendet, geht es hier von selbst weiter.',
  'The recording is over': 'Die Aufzeichnung ist zu Ende',
  'From the beginning': 'Von Anfang an',
  'Try again': 'Noch einmal versuchen',
  'This browser cannot play the channel': 'Dieser Browser kann den Kanal nicht abspielen',
  'It has no Media Source Extensions. Open this page in a current Firefox, Chrome, Edge or Safari, or copy the channel’s address from Coral into another player.':
    'Ihm fehlen die Media Source Extensions. Öffne diese Seite in einem aktuellen Firefox, Chrome, Edge oder Safari, oder kopiere die Adresse des Kanals aus Coral in einen anderen Player.',
  'This browser does not know the channel’s format ({codec}). Another browser or player may.':
    'Dieser Browser kennt das Format des Kanals nicht ({codec}). Ein anderer Browser oder Player vielleicht schon.',

  'Nothing has arrived yet.': 'Noch ist nichts angekommen.',
  'An ordinary playlist: from its own server alone, not shared, and signed by nobody.':
    'Eine gewöhnliche Playlist: nur von ihrem eigenen Server, nicht geteilt und von niemandem signiert.',
  'From {n} viewer, the origin and the cache: {percent} % from viewers.': 'Von {n} Zuschauer, dem Veranstalter und aus dem Cache: {percent} % von Zuschauern.',
  'From {n} viewers, the origin and the cache: {percent} % from viewers.': 'Von {n} Zuschauern, dem Veranstalter und aus dem Cache: {percent} % von Zuschauern.',
  'From {n} viewer and the origin: {percent} % from viewers.': 'Von {n} Zuschauer und dem Veranstalter: {percent} % von Zuschauern.',
  'From {n} viewers and the origin: {percent} % from viewers.': 'Von {n} Zuschauern und dem Veranstalter: {percent} % von Zuschauern.',
  'From {n} viewer and the cache: {percent} % from viewers.': 'Von {n} Zuschauer und aus dem Cache: {percent} % von Zuschauern.',
  'From {n} viewers and the cache: {percent} % from viewers.': 'Von {n} Zuschauern und aus dem Cache: {percent} % von Zuschauern.',
  'From {n} viewer, none of it from the origin.': 'Von {n} Zuschauer, nichts vom Veranstalter.',
  'From {n} viewers, none of it from the origin.': 'Von {n} Zuschauern, nichts vom Veranstalter.',
  'From the origin and the cache: {percent} % from the origin.': 'Vom Veranstalter und aus dem Cache: {percent} % vom Veranstalter.',
  'From the origin.': 'Vom Veranstalter.',
  'From this machine’s cache.': 'Aus dem Cache dieses Computers.',
  'Sharing {rate}.': 'Du teilst mit {rate}.',
  'Sharing {rate} of {cap}.': 'Du teilst mit {rate} von {cap}.',
  'Ready to share; nobody asks.': 'Bereit zum Teilen; niemand fragt.',
  'Watching only: nothing is shared.': 'Nur zusehen: Nichts wird geteilt.',
  'Sharing is paused.': 'Das Teilen ruht.',
  'Not sharing: this network is metered.': 'Kein Teilen: Dieses Netz ist getaktet.',
  'Not sharing: this machine runs on battery.': 'Kein Teilen: Dieser Computer läuft mit Akku.',
  'Not sharing at this hour: so says your week.': 'Kein Teilen um diese Zeit: So will es deine Woche.',
  'Not sharing: this month’s limit is used up.': 'Kein Teilen: Die Grenze für diesen Monat ist erreicht.',
  'Not sharing: you have not been asked yet.': 'Kein Teilen: Du wurdest noch nicht gefragt.',
  'Not sharing.': 'Kein Teilen.',
  'Verified.': 'Geprüft.',
  'Not verified: the organiser’s signatures are late.': 'Nicht geprüft: Die Signaturen des Veranstalters sind im Rückstand.',
  'Pause sharing': 'Teilen pausieren',
  'Resume sharing': 'Weiter teilen',
  'Coral could not be told. Is it still running?': 'Coral hat es nicht gehört. Läuft es noch?',
  'From viewers, origin, cache': 'Von Zuschauern, Veranstalter, Cache',

  'Keys': 'Tasten',
  'Play or pause': 'Abspielen oder Pause',
  '5 seconds back, on': '5 Sekunden zurück, vor',
  '10 seconds back, on': '10 Sekunden zurück, vor',
  'Louder, quieter': 'Lauter, leiser',
  'Sound off': 'Ton aus',
  'To the beginning': 'Zum Anfang',
  'To the end, to live': 'Zum Ende, zu live',
  'To tenths of it': 'Zu Zehnteln davon',
  'Frame by frame': 'Bild für Bild',
  'Slower, faster (recordings)': 'Langsamer, schneller (Aufzeichnungen)',
  'Full screen': 'Vollbild',
  'Mini player': 'Mini-Player',
  'Back': 'Zurück',
  'Space': 'Leertaste',
  'Home': 'Pos1',
  'End': 'Ende',
  'Esc': 'Esc',
};

export const language = (navigator.language || 'en').toLowerCase().startsWith('de') ? 'de' : 'en';
const words = language === 'de' ? german : {};

// L is a text in the reader's language, with values put in: L('{n} kbit/s', {n: 3}).
export function L(text, values = {}) {
  return (words[text] ?? text).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

const number = (digits) => new Intl.NumberFormat(language, { maximumFractionDigits: digits });
const [whole, tenths] = [number(0), number(1)];
const significant = (x) => (x < 9.95 ? tenths : whole).format(x);

// rate writes bits per second: "2.4 Mbit/s".
export function rate(bits) {
  if (bits >= 999.5e6) return L('{n} Gbit/s', { n: significant(bits / 1e9) });
  if (bits >= 999.5e3) return L('{n} Mbit/s', { n: significant(bits / 1e6) });
  return L('{n} kbit/s', { n: whole.format(bits / 1e3) });
}

// rateBeside leaves the unit out if it is that of what follows: "0.8" of "2 Mbit/s".
export function rateBeside(bits, follows) {
  const unit = follows >= 999.5e6 ? 1e9 : follows >= 999.5e3 ? 1e6 : 1e3;
  return bits < 0.05 * unit ? rate(bits) : significant(bits / unit);
}

// time writes seconds as players do: 2:03, 1:02:03.
export function time(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600);
  return h ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

// translate writes the page's own texts: data-text into elements, data-label
// onto buttons.
export function translate(root) {
  document.documentElement.lang = language;
  for (const e of root.querySelectorAll('[data-text]')) e.textContent = L(e.dataset.text);
  for (const e of root.querySelectorAll('[data-label]')) label(e, L(e.dataset.label));
}

// label names a button, for the eye and for screen readers.
export function label(element, text) {
  if (element.title === text) return;
  element.title = text;
  element.setAttribute('aria-label', text);
}

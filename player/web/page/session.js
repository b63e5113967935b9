// The system's media keys and what it shows of what plays.

const step = 10; // seconds, where the system does not say

export function announce(player, status) {
  const session = navigator.mediaSession;
  if (!session) return;
  const actions = {
    play: () => player.play(),
    pause: () => player.pause(),
    stop: () => player.pause(),
    seekbackward: (d) => player.seek(player.position - (d.seekOffset || step)),
    seekforward: (d) => player.seek(player.position + (d.seekOffset || step)),
    seekto: (d) => player.seek(d.seekTime + player.reach.start),
  };
  for (const [name, act] of Object.entries(actions)) {
    try {
      session.setActionHandler(name, act);
    } catch { /* this browser has no such key */ }
  }
  status.addEventListener('change', () => {
    if (!status.channel || session.metadata?.title === status.channel) return;
    session.metadata = new MediaMetadata({ title: status.channel, artist: 'Coral', artwork: [{ src: new URL('icon.svg', location.href).href, type: 'image/svg+xml' }] });
  });
  player.addEventListener('change', () => {
    session.playbackState = player.paused ? 'paused' : 'playing';
    const { start, end, seekable } = player.reach;
    if (!seekable) return session.setPositionState?.();
    const duration = end - start;
    session.setPositionState?.({ duration, position: Math.min(duration, Math.max(0, player.position - start)), playbackRate: player.speed || 1 });
  });
}

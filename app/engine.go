package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"fyne.io/fyne/v2/lang"

	"coral/app/settings"
	"coral/app/view"
	"coral/node"
	"coral/player/web"
)

// engine is one node and its end.
type engine struct {
	*node.Node
	stop context.CancelFunc
	done chan struct{}
}

// openNode makes the node that cfg asks for. Nothing is sent before applySharing
// allows it, whatever cfg says.
func (a *app) openNode(cfg settings.Settings) {
	c := node.Config{
		CacheDir: a.cacheDir(cfg), CacheSize: cfg.CacheSize,
		Listen: net.JoinHostPort(cfg.Bind, strconv.Itoa(cfg.Port)),
		Share:  false, Upload: cfg.Upload, Download: cfg.Down,
		DHT: cfg.DHT, UPnP: cfg.MapPort,
		ProxyAddr: "127.0.0.1:0", Web: web.Files(), Paused: a.pauseFromWeb,
		Agent: "Coral/" + a.options.Version, Log: a.log,
	}
	if cfg.Bind != "" {
		addr, err := netip.ParseAddr(cfg.Bind)
		if err != nil {
			a.notice(view.Problem, lang.L("The address {{.A}} cannot be used.", with("A", cfg.Bind)), lang.L("Choose another interface in the settings."))
			return
		}
		c.Bind = addr
	}
	n, err := node.Open(c)
	if err != nil {
		a.log.Error("node", "err", err)
		a.notice(view.Problem, lang.L("Coral's engine did not start: {{.Err}}", with("Err", brief(err))), lang.L("Check port, interface and cache folder in the settings."))
		return
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(a.ctx))
	e := &engine{Node: n, stop: stop, done: make(chan struct{})}
	a.work.Go(func() {
		defer close(e.done)
		if err := n.Run(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("node ended", "err", err)
			a.queue.post(func() {
				a.notice(view.Problem, lang.L("Coral's engine stopped: {{.Err}}", with("Err", brief(err))), lang.L("Close Coral and open it again."))
			})
		}
	})
	a.node = e
	a.sharing.applied, a.sharing.any = false, false
	a.setBlocklist(cfg.Blocklist)
	a.trouble = trouble{}
}

// trouble is what the engine lacks, by the notice that tells it; 0: nothing.
type trouble struct{ cache, peers uint64 }

// lookForTrouble tells once what the engine has come to lack, for as long as it does.
// All plays on.
func (a *app) lookForTrouble() {
	if a.node == nil {
		return
	}
	tell := func(notice *uint64, err error, words func() (text, hint string)) {
		switch {
		case err != nil && *notice == 0:
			text, hint := words()
			*notice = a.noticeWith(view.Notice{Kind: view.Warning, Text: text, Hint: hint, Action: lang.L("Settings"), Intent: view.GoTo{Page: view.PageSettings}})
		case err == nil && *notice != 0:
			a.notices.dismiss(*notice)
			*notice = 0
		}
	}
	cache, peers := a.node.Degraded(), a.node.CannotShare()
	tell(&a.trouble.cache, cache, func() (text, hint string) {
		return lang.L("The cache is kept in memory only: {{.Err}}", with("Err", brief(cache))), lang.L("Free some space, or choose another folder in the settings.")
	})
	tell(&a.trouble.peers, peers, func() (text, hint string) {
		return lang.L("Other viewers cannot be met: {{.Err}}", with("Err", brief(peers))), lang.L("Choose another port or interface in the settings. The channel plays from its origin meanwhile.")
	})
}

// closeNode says goodbye to the swarm and waits for it, but not for ever.
func (a *app) closeNode() {
	e := a.node
	if e == nil {
		return
	}
	a.node = nil
	e.stop()
	select {
	case <-e.done:
	case <-time.After(quitWithin):
		a.log.Warn("node does not end")
	}
}

// reopenNode puts a node with other foundations in place of the present one.
// What plays is opened again where it was.
func (a *app) reopenNode(cfg settings.Settings) {
	var again *playing
	if w := a.watching; w != nil {
		again = &playing{id: w.channel.ID, at: a.position()}
		a.stopWatching()
	}
	for id := range a.resting {
		delete(a.resting, id)
	}
	a.closeNode()
	a.openNode(cfg)
	if again != nil {
		a.playAt(again.id, again.at)
	}
}

// playing is what to go on with.
type playing struct {
	id string
	at time.Duration
}

// founded reports whether the node has to be made anew for a change.
func founded(old, new settings.Settings) bool {
	return old.Bind != new.Bind || old.Port != new.Port || old.MapPort != new.MapPort || old.DHT != new.DHT || old.CacheDir != new.CacheDir
}

func (a *app) cacheDir(cfg settings.Settings) string {
	if cfg.CacheDir != "" {
		return filepath.Join(cfg.CacheDir, "coral")
	}
	return filepath.Join(a.paths.Cache, "segments")
}

// setBlocklist reads the list beside the loop; until then the old one holds.
func (a *app) setBlocklist(file string) {
	n := a.node
	if n == nil || file == "" {
		if n != nil {
			n.SetBlocklist(nil)
		}
		return
	}
	a.later(func(context.Context) func() {
		list, err := settings.LoadBlocklist(file)
		return func() {
			if err != nil {
				a.notice(view.Problem, lang.L("The blocklist could not be read: {{.Err}}", with("Err", brief(err))), lang.L("Choose another file in the settings."))
				return
			}
			if a.node == n {
				n.SetBlocklist(list)
			}
		}
	})
}

// pauseFromWeb is the web player's button.
func (a *app) pauseFromWeb(on bool) {
	a.queue.post(func() { a.pauseSharing(on) })
}

// brief is an error in one line.
func brief(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return lang.L("another program has the port")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return lang.L("the network interface is not there")
	case errors.Is(err, syscall.ENOSPC):
		return lang.L("the disk is full")
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return lang.L("access is denied")
	}
	s := fmt.Sprint(err)
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return s
}

package proxy

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// maxConns bounds the connections at any time. A player needs up to six (a
// browser's limit); the rest is for several players. Beyond it the oldest
// connection that has not sent a request yet makes room, then the one idle
// longest: a web page or program that only opens connections cannot keep a
// player out.
const maxConns = 128

// conns watches the server's connections.
type conns struct {
	open sync.WaitGroup // one for each connection's goroutine

	mu  sync.Mutex
	all map[net.Conn]connState
}

type connState struct {
	state http.ConnState
	since time.Time
}

// hook is http.Server.ConnState. For StateNew it runs on the accepting
// goroutine, before Serve can return, so open counts every connection.
func (c *conns) hook(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.open.Add(1)
		if len(c.all) >= maxConns {
			c.makeRoom(conn)
		}
		c.all[conn] = connState{state, time.Now()}
	case http.StateClosed, http.StateHijacked:
		delete(c.all, conn)
		c.open.Done()
	default:
		c.all[conn] = connState{state, time.Now()}
	}
}

func (c *conns) makeRoom(newest net.Conn) {
	victim := newest
	best := connState{state: http.StateActive}
	for conn, s := range c.all {
		if s.state == http.StateActive {
			continue
		}
		if best.state == http.StateActive || s.state < best.state || s.state == best.state && s.since.Before(best.since) {
			victim, best = conn, s // StateNew < StateIdle
		}
	}
	// Closing does not block; the connection's goroutine notices and reports
	// StateClosed. It leaves the table now, so that it is not chosen again.
	victim.Close()
	delete(c.all, victim)
}

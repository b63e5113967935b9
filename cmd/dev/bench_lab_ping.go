package main

import (
	"context"
	"io"
	"net"
	"net/netip"
	"time"
)

const (
	echoPort  = 7 // RFC 862
	pingEvery = 200 * time.Millisecond
)

// ping measures, when a viewer has been there for a while, how long a byte takes from
// its host to the publisher's and back. The byte has a TCP connection to itself: if it
// is lost, it takes longer, as it does for people.
func (r *labRun) ping(ctx context.Context, v *labViewer) error {
	l, err := r.publisher.Listen(ctx, echoPort)
	if err != nil {
		return err
	}
	defer l.Close()
	here, err := v.host.Dial(ctx, "tcp", netip.AddrPortFrom(r.publisher.Addr, echoPort).String())
	if err != nil {
		return err
	}
	defer here.Close()
	there, err := l.Accept()
	if err != nil {
		return err
	}
	defer there.Close()
	if err := wait(ctx, time.Until(r.begun.Add(v.joins+settled))); err != nil {
		return err
	}
	b := make([]byte, 1)
	for time.Until(r.begun.Add(v.leaves)) > pingEvery {
		began := time.Now()
		for _, way := range [][2]net.Conn{{here, there}, {there, here}} {
			if _, err := way[0].Write(b); err != nil {
				return err
			}
			if _, err := io.ReadFull(way[1], b); err != nil {
				return err
			}
		}
		r.pings = append(r.pings, time.Since(began))
		if err := wait(ctx, pingEvery); err != nil {
			return err
		}
	}
	return nil
}

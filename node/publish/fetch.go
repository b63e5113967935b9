package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"coral/node/hls"
	"coral/node/origin"
	"coral/store/segment"
)

const (
	// fetchAhead is how many objects of a rendition are fetched at a time.
	fetchAhead = 4
	// maxFailing bounds how many that fail are tried again beside them.
	maxFailing = 32
	// maxFetches is how many of all renditions are: it bounds memory, and a
	// rendition that hangs must leave room for the others.
	maxFetches = 32
	// firstRetry to lastRetry is how long is waited after failures.
	firstRetry = 100 * time.Millisecond
	lastRetry  = time.Second
	// believeAfter is how long bytes that look cut off must stay the same to be
	// believed.
	believeAfter = time.Second
	// readStep is how much is read at a time at least.
	readStep = 16 << 10
)

var (
	errForeign = errors.New("not a segment: a page or a playlist came in its place")
	errCutOff  = errors.New("looks cut off")
	errEmpty   = errors.New("no bytes")
)

// fetched is a whole object.
type fetched struct {
	data   []byte
	blocks []segment.Digest
	root   segment.Digest
	second time.Duration // how long the second half took to come; 0: not measured
}

// purpose is why an object is fetched.
type purpose uint8

const (
	toSign  purpose = iota
	toOffer         // it was signed before the program was started anew
	toProbe         // to tell whether the source serves what was signed
)

func (p purpose) String() string { return [...]string{"to sign", "to offer again", "to compare"}[p] }

type state uint8

const (
	waiting state = iota
	fetching
	ready
)

// job is one object to be fetched.
type job struct {
	sight
	why     purpose
	kind    segment.Kind
	seg     *hls.Segment // of a media segment that is to be signed
	initKey string       // the init section that it needs, or is
	ref     string
	n       int64 // bytes from Offset; < 0: all there are
	mark    *mark // what was signed, if it is not to be signed
	secret  bool  // encrypted
	noticed time.Time

	state  state
	got    *fetched
	tries  int
	failed time.Time // the first failure
	err    error
	next   time.Time // not tried before
	// doubted is what looked cut off, and since when.
	doubted   segment.Digest
	doubtedAt time.Time
}

// result is how a fetch ended.
type result struct {
	job     *job
	got     *fetched
	err     error
	took    time.Duration
	sharing int // how many fetches there were, at its beginning or at its end
}

// lasting reports an error that trying again is unlikely to mend.
func lasting(err error) bool {
	var status *origin.StatusError
	switch {
	case errors.As(err, &status):
		return status.Code == http.StatusNotFound || status.Code == http.StatusGone || status.Code == http.StatusForbidden
	case errors.Is(err, origin.ErrRefused), errors.Is(err, origin.ErrTooLarge), errors.Is(err, errOutside), errors.Is(err, fs.ErrNotExist):
		return true
	}
	return false
}

// fetch brings an object, read once, by up to so many requests at a time. Cut-off
// and foreign bytes are errors.
func fetch(ctx context.Context, src source, j *job, lanes int) (*fetched, error) {
	off := int64(0)
	if j.Ranged {
		off = j.Offset
	}
	r, size, err := src.get(ctx, j.ref, off, j.n, lanes)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	got, err := read(r, size)
	if err == nil && lanes > 1 {
		got.second = 0 // halves come in any order
	}
	switch {
	case err != nil:
		return nil, err
	case j.n >= 0 && int64(len(got.data)) < j.n:
		return nil, fmt.Errorf("%d of %d bytes: %w", len(got.data), j.n, io.ErrUnexpectedEOF)
	case len(got.data) == 0:
		return nil, errEmpty
	case foreign(got.data):
		return nil, errForeign
	case cutOff(got.data, j.secret):
		return got, errCutOff
	}
	return got, nil
}

// read reads an object of size bytes (-1: not known) and hashes its blocks as
// they come.
func read(r io.Reader, size int64) (*fetched, error) {
	if size > segment.MaxSize {
		return nil, origin.ErrTooLarge
	}
	// What is announced is not believed beyond a first megabyte.
	const atFirst = 1 << 20
	buf := bytes.NewBuffer(make([]byte, 0, min(max(size, 8*readStep), atFirst)+readStep))
	f := &fetched{}
	hashed := 0
	var half time.Time // when half of it was there
	for {
		buf.Grow(readStep)
		b := buf.AvailableBuffer()
		n, err := r.Read(b[:cap(b)])
		buf.Write(b[:n])
		if half.IsZero() && size > 0 && int64(buf.Len()) >= size/2 {
			half = time.Now()
		}
		if buf.Len() > segment.MaxSize {
			return nil, origin.ErrTooLarge
		}
		for data := buf.Bytes(); len(data)-hashed >= segment.BlockSize; hashed += segment.BlockSize {
			f.blocks = append(f.blocks, segment.BlockDigest(data[hashed:hashed+segment.BlockSize]))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	f.data = buf.Bytes()
	if !half.IsZero() {
		f.second = time.Since(half)
	}
	if hashed < len(f.data) || len(f.data) == 0 {
		f.blocks = append(f.blocks, segment.BlockDigest(f.data[hashed:]))
	}
	f.root = segment.Root(f.blocks)
	return f, nil
}

// ended takes a fetch's result into the job, and reports whether it is done.
func (j *job) ended(got *fetched, err error, now time.Time) bool {
	if errors.Is(err, errCutOff) {
		if j.doubted == got.root && now.Sub(j.doubtedAt) >= believeAfter {
			err = nil // it is what it is
		} else if j.doubted != got.root {
			j.doubted, j.doubtedAt = got.root, now
		}
	}
	if err == nil {
		j.state, j.got, j.err = ready, got, nil
		return true
	}
	j.state, j.err = waiting, err
	if j.failed.IsZero() {
		j.failed = now
	}
	wait := min(lastRetry, firstRetry<<min(j.tries, 8))
	if errors.Is(err, errBeingWritten) {
		wait = firstRetry
	}
	var status *origin.StatusError
	if errors.As(err, &status) && status.RetryAfter > 0 {
		wait = max(wait, min(status.RetryAfter, lastRetry))
	}
	j.tries++
	j.next = now.Add(wait)
	return false
}

package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"
)

// Page is the web player of a mount.
type Page struct {
	Files fs.FS // flat, with an index.html
	Panel Panel
}

// Panel is what the page shows and changes besides the picture. Its methods are
// called from many goroutines at once.
type Panel interface {
	Status(ctx context.Context) (Status, error)
	// PauseSharing is the page's button. What comes of it shows in Status.
	PauseSharing(paused bool)
}

// Status is what the page tells of a channel, as JSON.
type Status struct {
	Channel  string `json:"channel"`
	Verified string `json:"verified"` // "not yet", "yes", "no", "unsigned" (a plain playlist)
	// Where the bytes of the last 30 seconds came from.
	FromPeers  int64 `json:"from_peers"`
	FromOrigin int64 `json:"from_origin"`
	FromCache  int64 `json:"from_cache"`
	Givers     int   `json:"givers"` // peers that some of them came from
	// Sharing is "on", or says why nothing is shared: "off" if nobody knows.
	Sharing   string `json:"sharing"`
	UploadCap int64  `json:"upload_cap"` // bits per second; negative: none
	// Sent counts the bytes to peers on the wire, and At the milliseconds since
	// the channel was opened: two answers make a rate.
	Sent int64 `json:"sent"`
	At   int64 `json:"at"`
	Back int64 `json:"back"` // milliseconds before the newest segment that can be had
}

const (
	areaWeb    = "web"
	fileStatus = "status.json"
	fileShare  = "share"
	// maxShare bounds the body of a POST: {"paused":false} and some space.
	maxShare = 64
	// statusWithin bounds a status: the page asks again in a second.
	statusWithin = 2 * time.Second
	// bodyWithin is how long the few bytes of a body may take.
	bodyWithin = time.Second
)

// pageTypes are the files that a page may have. The system's table is not asked:
// where that is wrong, browsers refuse modules.
var pageTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".mjs":  "text/javascript; charset=utf-8",
	".json": "application/json",
	".svg":  "image/svg+xml",
	".png":  "image/png",
	".txt":  "text/plain; charset=utf-8",
}

// pagePolicy lets the page load itself, the channel and the picture that hls.js
// puts together (blob:), and nothing else in the world.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"media-src blob:; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// servePage answers with one of the page's files.
func (m *Mount) servePage(w http.ResponseWriter, r *http.Request, name string) {
	if name == "" {
		name = "index.html"
	}
	contentType := pageTypes[path.Ext(name)]
	if contentType == "" || !fs.ValidPath(name) || path.Base(name) != name {
		m.fail(w, r, ErrNotFound)
		return
	}
	body, err := fs.ReadFile(m.page.Files, name)
	if err != nil {
		m.fail(w, r, ErrNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), display-capture=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	m.sendWhole(w, r, contentType, body)
}

func (m *Mount) serveStatus(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), statusWithin)
	defer cancel()
	st, err := m.page.Panel.Status(ctx)
	if err != nil {
		m.fail(w, r, err)
		return
	}
	body, err := json.Marshal(st)
	if err != nil {
		m.fail(w, r, err)
		return
	}
	m.sendWhole(w, r, "application/json", body)
}

// serveShare pauses sharing, or ends the pause. The guard has seen that the
// request is the page's own.
func (m *Mount) serveShare(w http.ResponseWriter, r *http.Request) {
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyWithin))
	paused, err := readPaused(r.Body)
	if err != nil {
		fail(w, http.StatusBadRequest)
		return
	}
	m.page.Panel.PauseSharing(paused)
	extend(w)
	w.WriteHeader(http.StatusNoContent)
}

var errBody = errors.New(`want {"paused":true} or {"paused":false}`)

// readPaused reads the one thing that can be posted.
func readPaused(body io.Reader) (paused bool, err error) {
	d := json.NewDecoder(io.LimitReader(body, maxShare+1))
	d.DisallowUnknownFields()
	var q struct {
		Paused *bool `json:"paused"`
	}
	if err := d.Decode(&q); err != nil || q.Paused == nil {
		return false, errBody
	}
	if _, err := d.Token(); err != io.EOF {
		return false, errBody
	}
	return *q.Paused, nil
}

// posted returns 0 if r is a POST that only our own page can have made, or the
// status to refuse it with. A browser lets no other site set the content type
// without asking first, which is never granted, and none forge its Origin.
func posted(r *http.Request) int {
	if path.Base(r.URL.Path) != fileShare {
		return http.StatusMethodNotAllowed
	}
	if len(r.Header.Values("Origin")) == 0 { // a foreign one was refused already
		return http.StatusForbidden
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return http.StatusUnsupportedMediaType
	}
	if r.ContentLength < 1 || r.ContentLength > maxShare || len(r.TransferEncoding) > 0 {
		return http.StatusBadRequest
	}
	return 0
}

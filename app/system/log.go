package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	logName = "coral.log"
	oldName = "coral.1.log"
	// logSize is how far each of the two files may grow. Together that is some
	// days of ordinary use, and small enough for a letter.
	logSize = 2 << 20
	// maxRecord is how much of one record is kept.
	maxRecord = 16 << 10
)

// LogFile writes log records to a file that its user can give away: addresses,
// links, secrets and home folders are taken out of each record before it is
// written, so that the file never held them. It keeps two generations.
type LogFile struct {
	dir    string
	redact *redactor

	mu   sync.Mutex
	f    *os.File // nil: closed, or could not be opened
	size int64
}

// OpenLog goes on with the log in dir. Only one program may.
func OpenLog(dir string) (*LogFile, error) {
	l := &LogFile{dir: dir, redact: newRedactor()}
	if err := l.open(os.O_APPEND); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return l, nil
}

// Name is the newest file's.
func (l *LogFile) Name() string { return filepath.Join(l.dir, logName) }

// Hide takes text out of all records from now on, wherever it stands: for
// secrets that do not look like one. Text of fewer than four bytes is not taken.
func (l *LogFile) Hide(text string) { l.redact.hide(text, "[secret]") }

// Handler writes records at or above level, one line each.
func (l *LogFile) Handler(level slog.Leveler) slog.Handler {
	return &logHandler{file: l, level: level}
}

// Close ends it; later records are dropped.
func (l *LogFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	err := l.f.Close()
	l.f = nil
	return err
}

func (l *LogFile) open(how int) (err error) {
	l.f, err = os.OpenFile(l.Name(), os.O_WRONLY|os.O_CREATE|how, 0o600)
	if err != nil {
		l.f = nil
		return err
	}
	s, err := l.f.Stat()
	if err == nil {
		l.size = s.Size()
	}
	return err
}

func (l *LogFile) write(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return os.ErrClosed
	}
	if l.size > 0 && l.size+int64(len(line)) > logSize {
		if err := l.rotate(); err != nil {
			return err
		}
	}
	n, err := l.f.Write(line)
	l.size += int64(n)
	return err
}

// rotate begins a new file. If the full one cannot be set aside it is emptied:
// the limit is kept in any case.
func (l *LogFile) rotate() error {
	_ = l.f.Close()
	how := os.O_APPEND
	if os.Rename(l.Name(), filepath.Join(l.dir, oldName)) != nil {
		how |= os.O_TRUNC
	}
	return l.open(how)
}

// SaveTo writes both generations and what system this is into one file, whole
// or not at all.
func (l *LogFile) SaveTo(file string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	out, err := os.CreateTemp(filepath.Dir(file), ".coral-log-*")
	if err != nil {
		return fmt.Errorf("save log: %w", err)
	}
	_, err = fmt.Fprintf(out, "Coral's log: %s, %s/%s, %d processors\nAddresses, links and secrets were left out when it was written.\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, name := range []string{oldName, logName} {
		err = errors.Join(err, appendFile(out, filepath.Join(l.dir, name)))
	}
	if err = errors.Join(err, out.Close()); err == nil {
		err = os.Rename(out.Name(), file)
	}
	if err != nil {
		_ = os.Remove(out.Name())
		return fmt.Errorf("save log: %w", err)
	}
	return nil
}

func appendFile(w io.Writer, name string) error {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, io.LimitReader(f, logSize+maxRecord))
	return err
}

// logHandler formats records: time, level, message, then key=value.
type logHandler struct {
	file  *LogFile
	level slog.Leveler
	attrs string // of With, formatted, each with a space in front
	group string // of WithGroup, with a dot behind
}

func (h *logHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	w := recordWriter{redact: h.file.redact}
	w.b.WriteString(h.attrs)
	for _, a := range attrs {
		w.attr(h.group, a, 0)
	}
	next := *h
	next.attrs = w.b.String()
	return &next
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	next := *h
	next.group += h.file.redact.text(name) + "."
	return &next
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	w := recordWriter{redact: h.file.redact}
	if !r.Time.IsZero() {
		w.b.WriteString(r.Time.UTC().Format("2006-01-02T15:04:05.000Z "))
	}
	w.b.WriteString(r.Level.String())
	w.b.WriteByte(' ')
	w.b.WriteString(quote(h.file.redact.text(r.Message), " "))
	w.b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		w.attr(h.group, a, 0)
		return w.b.Len() < maxRecord
	})
	line := w.b.String()
	if len(line) > maxRecord {
		line = strings.ToValidUTF8(line[:maxRecord], "") + "…"
	}
	return h.file.write([]byte(line + "\n"))
}

// quote makes one line, and one word unless spaces are allowed. It comes after
// redacting: an escape's letters would hide where an address begins.
func quote(s, allowed string) string {
	plain := s != ""
	for _, r := range s {
		if r == '"' || r == '=' || r == '\\' || r == ' ' && allowed != " " || r != ' ' && !strconv.IsPrint(r) || r == '\uFFFD' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strconv.Quote(s)
}

// recordWriter formats the attributes of one record.
type recordWriter struct {
	redact *redactor
	b      strings.Builder
}

// maxDepth bounds groups in groups and lists in lists: deeper ones are a loop.
const maxDepth = 8

func (w *recordWriter) attr(prefix string, a slog.Attr, depth int) {
	if depth > maxDepth || w.b.Len() > maxRecord {
		return
	}
	v := a.Value.Resolve() // a panic in LogValue becomes an error
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += w.redact.text(a.Key) + "."
		}
		for _, in := range v.Group() {
			w.attr(prefix, in, depth+1)
		}
		return
	}
	if a.Key == "" && v.Kind() == slog.KindAny && v.Any() == nil {
		return
	}
	text := ""
	switch {
	case sensitive(a.Key):
		text = "[secret]"
	case v.Kind() == slog.KindTime:
		text = v.Time().UTC().Format(time.RFC3339Nano)
	case v.Kind() == slog.KindString:
		text = w.redact.text(v.String())
	case v.Kind() == slog.KindAny:
		text = w.redact.any(v.Any())
	default: // numbers, booleans, durations
		text = v.String()
	}
	w.b.WriteByte(' ')
	w.b.WriteString(quote(prefix+w.redact.text(a.Key), ""))
	w.b.WriteByte('=')
	w.b.WriteString(quote(text, ""))
}

package web

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// pinned are the digests of hls.js's files as the npm package hls.js, version
// HLSVersion, has them in dist (and LICENSE).
var pinned = map[string]string{
	"hls.min.mjs":     "5501f1d9091b6f749e0ef61aff4b9ea3ba13fd5fa5e2aefb6fc0ff871847a531",
	"hls.worker.js":   "8553e459962fdbb5813fc2d2cb45d171c7f9e91cfb82a3e44789e438e61aa743",
	"hls.LICENSE.txt": "ca8773cf798c7ed997d4dd7c8e23c348699f8d5b7462636694cc14de6cda12db",
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := fs.ReadFile(Files(), name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPinned(t *testing.T) {
	for name, want := range pinned {
		sum := sha256.Sum256([]byte(read(t, name)))
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: SHA-256 %s, want %s", name, got, want)
		}
	}
	if !strings.Contains(read(t, "hls.min.mjs"), `"`+HLSVersion+`"`) {
		t.Errorf("hls.js does not say that it is %s", HLSVersion)
	}
	if !strings.Contains(Licence(), "Apache License") {
		t.Error("no licence")
	}
}

// ours are the page's files that are written by hand.
func ours(t *testing.T, exts ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." {
			t.Errorf("%s: the proxy serves no folders", name)
		}
		for _, ext := range exts {
			if _, theirs := pinned[name]; !d.IsDir() && !theirs && strings.HasSuffix(name, ext) {
				out[name] = read(t, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What the Content-Security-Policy would refuse, or would leave this machine.
func TestSelfContained(t *testing.T) {
	bad := regexp.MustCompile(`https?://|\bon[a-z]+="|\bstyle="|<style|<script>|javascript:|\beval\(|innerHTML|insertAdjacentHTML|document\.write|new Function|@import|[^L]url\(`)
	for name, text := range ours(t, ".html", ".js", ".css", ".svg") {
		text = strings.ReplaceAll(text, `xmlns="http://www.w3.org/2000/svg"`, "")
		if name == "icon.svg" {
			text = strings.ReplaceAll(text, "url(#sea)", "")
		}
		if at := bad.FindString(text); at != "" {
			t.Errorf("%s has %q", name, at)
		}
		if n := strings.Count(text, "\n"); n > 400 {
			t.Errorf("%s has %d lines: split it", name, n)
		}
	}
}

// Each file that another names is there, and each file is named by another.
func TestComplete(t *testing.T) {
	named := map[string]bool{"index.html": true, "hls.LICENSE.txt": true}
	reference := regexp.MustCompile(`(?:href|src)="([\w.]+)|from '\./([\w.]+)'|new URL\('([\w]+\.[\w.]+)'`)
	for name, text := range ours(t, ".html", ".js") {
		for _, m := range reference.FindAllStringSubmatch(text, -1) {
			to := m[1] + m[2] + m[3]
			if to == "status.json" {
				continue // the proxy's
			}
			named[to] = true
			if _, err := fs.Stat(Files(), to); err != nil {
				t.Errorf("%s names %s: %v", name, to, err)
			}
		}
	}
	icon := regexp.MustCompile(`href="#icon-([\w-]+)"|icon\('\w+', (.*)\);`)
	word := regexp.MustCompile(`'([a-z-]+)'`)
	for name, text := range ours(t, ".html", ".js") {
		for _, m := range icon.FindAllStringSubmatch(text, -1) {
			ids := []string{m[1]}
			for _, w := range word.FindAllStringSubmatch(strings.ReplaceAll(m[2], "=== 'ended'", ""), -1) {
				ids = append(ids, w[1])
			}
			for _, id := range ids {
				if id != "" && !strings.Contains(read(t, "index.html"), `<symbol id="icon-`+id+`"`) {
					t.Errorf("%s shows the icon %q, which is not there", name, id)
				}
			}
		}
	}
	for name := range ours(t, "") {
		if !named[name] {
			t.Errorf("nobody needs %s", name)
		}
	}
}

// Two things of one name, and a button would show another button.
func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`\bid="([^"]+)"`).FindAllStringSubmatch(read(t, "index.html"), -1) {
		if seen[m[1]] {
			t.Errorf("two elements have the id %q", m[1])
		}
		seen[m[1]] = true
	}
	byID := regexp.MustCompile(`(?:\$|getElementById)\('([\w-]+)'\)`)
	for name, text := range ours(t, ".js") {
		for _, m := range byID.FindAllStringSubmatch(text, -1) {
			if !seen[m[1]] {
				t.Errorf("%s wants the element %q, which is not there", name, m[1])
			}
		}
	}
}

// Every text has its German, and no German is left over.
func TestTranslations(t *testing.T) {
	table := map[string]string{}
	words := read(t, "words.js")
	words = words[strings.Index(words, "const german = {"):strings.Index(words, "\n};")]
	for _, m := range regexp.MustCompile(`(?m)^  '([^']+)':\s+'([^']+)',$`).FindAllStringSubmatch(words, -1) {
		table[m[1]] = m[2]
	}
	if len(table) < 80 {
		t.Fatalf("only %d German texts found", len(table))
	}
	used := map[string]bool{}
	literal := regexp.MustCompile(`'([^']+)'`)
	for name, text := range ours(t, ".js", ".html") {
		if name == "words.js" {
			text = text[strings.Index(text, "\n};"):]
		}
		for _, m := range regexp.MustCompile(`\bL\('([^']+)'|data-(?:text|label)="([^"]+)"`).FindAllStringSubmatch(text, -1) {
			key := m[1] + m[2]
			used[key] = true
			if table[key] == "" {
				t.Errorf("%s: %q has no German", name, key)
			}
		}
		for line := range strings.Lines(text) { // tables of texts
			line, _, _ = strings.Cut(line, "//")
			for _, m := range literal.FindAllStringSubmatch(line, -1) {
				used[m[1]] = true
			}
		}
	}
	values := regexp.MustCompile(`\{\w+\}`)
	for en, de := range table {
		if !used[en] {
			t.Errorf("German for %q, which nobody says", en)
		}
		a, b := values.FindAllString(en, -1), values.FindAllString(de, -1)
		if len(a) != len(b) {
			t.Errorf("%q and %q have other values", en, de)
		}
	}
}

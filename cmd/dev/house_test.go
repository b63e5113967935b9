package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// room is what one package may know. Everything that is not listed is forbidden.
type room struct {
	inner []string // packages of Coral, without "coral/"
	outer []string // other modules' packages, by prefix
	tests []string // packages of Coral that its tests may import besides
	pure  bool     // no clock, no dice, no socket, no disk, no log
}

// house is the map of Coral: every package, and its imports. Change it with
// care, and README.md's map with it.
var house = map[string]room{
	"assets": {},

	"cmd/coralnode": {
		inner: []string{"node", "node/budget", "node/channel", "node/origin", "node/publish", "node/sim", "player/web"},
		outer: []string{"github.com/adrg/xdg", "github.com/skip2/go-qrcode"},
		tests: []string{"assets"},
	},
	"cmd/coral/realtest":     {tests: []string{"assets"}, outer: []string{"github.com/godbus/dbus/v5"}}, // its tests have a tray of their own
	"cmd/coralnode/realtest": {tests: []string{"assets"}},                                               // drives the program as strangers do: no more of Coral
	"cmd/dev":                {inner: []string{"assets", "cmd/dev/lab", "cmd/dev/screen", "node/nodetest", "node/sim", "store/segment"}, outer: []string{"github.com/godbus/dbus/v5", "gonum.org/v1/plot"}},
	"cmd/dev/lab":            {inner: []string{"node/sim"}, outer: []string{"golang.org/x/sys/unix"}},
	"cmd/dev/screen":         {},

	"store":             {inner: []string{"store/segment"}, outer: []string{"go.etcd.io/bbolt", "golang.org/x/sys"}, tests: []string{"store/storetest"}},
	"store/segment":     {pure: true},
	"store/storetest":   {inner: []string{"store", "store/segment"}},
	"node/budget":       {pure: true},
	"node/channel":      {inner: []string{"store/segment"}, pure: true},
	"node/hls":          {inner: []string{"node/channel"}, outer: []string{"github.com/grafov/m3u8"}, pure: true},
	"node/schedule":     {inner: []string{"store/segment"}, pure: true},
	"node/sim":          {inner: []string{"node/schedule", "store/segment"}, pure: true},
	"node/nodetest":     {inner: []string{"node/channel", "store/segment"}},
	"node/origin":       {inner: []string{"store/segment"}, tests: []string{"node/nodetest"}},
	"node/proxy":        {inner: []string{"node/channel", "node/hls", "store/segment"}, tests: []string{"node/nodetest"}},
	"node/publish":      {inner: []string{"node/channel", "node/hls", "node/origin", "node/schedule", "store/segment"}, outer: []string{"golang.org/x/sys"}, tests: []string{"node/nodetest", "node/proxy"}},
	"node/swarm":        {inner: []string{"node/budget", "node/channel", "node/swarm/meter", "node/swarm/wire", "store/segment"}, outer: []string{"github.com/anacrolix/", "golang.org/x/time/rate"}, tests: []string{"node/nodetest"}},
	"node/swarm/meter":  {inner: []string{"node/budget"}, outer: []string{"golang.org/x/sys"}},
	"node/swarm/wire":   {inner: []string{"store/segment"}, pure: true},
	"node/webvtt":       {pure: true},
	"node/swarm/go-utp": {outer: []string{"github.com/anacrolix/utp"}}, // a module of its own: see its comment

	"node": {
		inner: []string{
			"node/budget", "node/channel", "node/hls", "node/origin", "node/proxy", "node/publish", "node/schedule",
			"node/swarm", "node/swarm/wire", "node/webvtt", "store", "store/segment",
		},
		tests: []string{"node/nodetest", "assets"},
	},

	"cmd/coral": {inner: []string{"app"}},
	"app": {
		inner: []string{
			"app/durable", "app/library", "app/native", "app/settings", "app/system", "app/view", "assets", "node", "node/budget", "node/channel", "node/origin",
			"player", "player/mpv", "player/surface", "player/web",
		},
		outer: []string{"fyne.io/fyne/v2", "github.com/skip2/go-qrcode"},
	},
	"app/durable":    {},
	"app/native":     {outer: []string{"golang.org/x/sys"}},
	"app/settings":   {inner: []string{"app/durable", "node/budget"}},
	"app/library":    {inner: []string{"app/durable", "app/settings", "node/budget", "node/channel"}, outer: []string{"golang.org/x/image", "golang.org/x/text"}},
	"app/system":     {outer: []string{"github.com/adrg/xdg", "github.com/godbus/dbus/v5", "golang.org/x/sys"}},
	"app/view":       {inner: []string{"app/settings", "assets", "node/budget", "player"}, outer: []string{"fyne.io/fyne/v2", "golang.org/x/image/vector"}},
	"player":         {},
	"player/mpv":     {inner: []string{"player", "player/surface"}, outer: []string{"github.com/ebitengine/purego", "golang.org/x/sys"}},
	"player/surface": {outer: []string{"fyne.io/fyne/v2"}, tests: []string{"player", "player/mpv"}},
	"player/web":     {},
	"packaging":      {},
}

// topLevel is all that a visitor sees of the tree; names with a dot in front
// and what .gitignore leaves out are not counted.
var topLevel = []string{
	"app", "player", "node", "store", "assets", "packaging", "cmd", "go.mod", "go.sum", "FyneApp.toml", "README.md", "LICENSE",
}

var ignored = []string{"dist", "bin"}

// testModules may be imported by any package's tests.
var testModules = []string{"go.uber.org/goleak"}

// maxLines is where a file is split; from 400 on it is worth a discussion.
const maxLines = 600

// What a pure package must not use of the standard library: whole packages, and
// names in packages that it may otherwise use.
var (
	impure = []string{"os", "io/ioutil", "log", "syscall", "net/http", "plugin", "runtime/debug", "database/sql", "unsafe"}

	impureNames = map[string]*regexp.Regexp{
		"time":         regexp.MustCompile(`^(Now|Since|Until|Sleep|After|AfterFunc|Tick|NewTimer|NewTicker)$`),
		"net":          regexp.MustCompile(`^[^SJPI]|^(Interfaces|InterfaceAddrs|InterfaceByName|Pipe)`), // not SplitHostPort, JoinHostPort, Parse…, IP
		"math/rand/v2": regexp.MustCompile(`^[^NPRS]|^(N|NormFloat64|Perm|Shuffle)$`),                    // not New…, PCG, Rand, Source: dice come seeded
		"math/rand":    regexp.MustCompile(`.`),
	}
)

// source is one Go file.
type source struct {
	dir, name string
	test      bool
	tool      bool // built by nobody: go run FILE
	file      *ast.File
	imports   map[string]string // name in the file to path
	lines     int
}

// sources parses the whole tree.
func sources(t *testing.T) (all []source, root string) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	walk(t, root, func(name string) {
		if filepath.Ext(name) != ".go" {
			return
		}
		f, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			return
		}
		s := source{
			dir: filepath.ToSlash(filepath.Dir(name)), name: filepath.ToSlash(name), test: strings.HasSuffix(name, "_test.go"),
			file: f, imports: map[string]string{}, lines: set.File(f.Pos()).LineCount(),
		}
		for _, c := range f.Comments {
			for _, l := range c.List {
				s.tool = s.tool || l.Pos() < f.Package && l.Text == "//go:build ignore"
			}
		}
		for _, i := range f.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Error(err)
			}
			as := strings.TrimSuffix(path, "/v2")
			as = as[strings.LastIndex(as, "/")+1:]
			if i.Name != nil {
				as = i.Name.Name
			}
			s.imports[as] = path
		}
		all = append(all, s)
	})
	if len(all) < 10 {
		t.Fatalf("only %d files found below %s", len(all), root)
	}
	return all, root
}

// walk visits the files of the tree, by their names below root.
func walk(t *testing.T, root string, visit func(name string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if d.IsDir() && rel != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains(ignored, rel)) {
			return filepath.SkipDir
		}
		if !d.IsDir() {
			visit(rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && first != "coral"
}

func TestHouseImports(t *testing.T) {
	all, _ := sources(t)
	for _, s := range all {
		r, ok := house[s.dir]
		if !ok {
			t.Errorf("%s: the package is not on the map (house, in cmd/dev/house_test.go)", s.name)
			continue
		}
		for _, path := range s.imports {
			in, coral := strings.CutPrefix(path, "coral/")
			allowed := isStandard(path)
			switch {
			case coral:
				allowed = slices.Contains(r.inner, in) || s.test && (in == s.dir || slices.Contains(r.tests, in))
			case !allowed:
				allowed = slices.ContainsFunc(r.outer, func(p string) bool { return path == p || strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/") }) ||
					s.test && slices.Contains(testModules, path)
			}
			if path == "C" && s.dir != "player/mpv" {
				allowed = false
			}
			if !allowed {
				t.Errorf("%s: %s must not import %s", s.name, s.dir, path)
			}
		}
	}
}

func TestHousePurity(t *testing.T) {
	all, _ := sources(t)
	for _, s := range all {
		if s.test || s.tool || !house[s.dir].pure {
			continue
		}
		for _, path := range s.imports {
			if slices.ContainsFunc(impure, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") }) {
				t.Errorf("%s: a pure package must not import %s", s.name, path)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			if bad := impureNames[s.imports[x.Name]]; bad != nil && bad.MatchString(sel.Sel.Name) {
				t.Errorf("%s: a pure package must not use %s.%s", s.name, x.Name, sel.Sel.Name)
			}
			return true
		})
	}
}

func TestHouseFiles(t *testing.T) {
	all, _ := sources(t)
	docs, packages := map[string]bool{}, map[string]bool{}
	for _, s := range all {
		if s.lines > maxLines {
			t.Errorf("%s has %d lines: split it", s.name, s.lines)
		}
		packages[s.dir] = packages[s.dir] || !s.test && !s.tool
		if filepath.Base(s.name) == "doc.go" && s.file.Doc != nil {
			docs[s.dir] = true
		}
		if base := filepath.Base(s.dir); slices.Contains([]string{"util", "utils", "common", "types", "helpers", "misc"}, base) {
			t.Errorf("%s: %s says nothing about what is inside", s.name, base)
		}
	}
	for dir, ok := range packages {
		if ok && !docs[dir] && dir != "node/swarm/go-utp" {
			t.Errorf("%s has no doc.go with a package comment", dir)
		}
	}
}

func TestHouseTopLevel(t *testing.T) {
	_, root := sources(t)
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if n := e.Name(); !strings.HasPrefix(n, ".") && !slices.Contains(topLevel, n) && !slices.Contains(ignored, n) {
			t.Errorf("%s does not belong at the top of the tree", n)
		}
	}
}

// The README's map is the one that people read.
func TestHouseReadme(t *testing.T) {
	all, root := sources(t)
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		last := s.dir[strings.LastIndex(s.dir, "/")+1:] + "/"
		if !strings.Contains(string(text), last) {
			t.Errorf("README.md's map does not name %s", s.dir)
			return
		}
	}
}

// Where packages come from is a matter of the machine that builds, not ours.
func TestHouseNamesNoRegistry(t *testing.T) {
	_, root := sources(t)
	hosts := []string{"proxy." + "golang.org", "sum." + "golang.org", "deb." + "debian.org", "security." + "debian.org", "registry." + "npmjs.org", "registry." + "yarnpkg.com"}
	binary := []string{".m4s", ".mp4", ".png", ".ttf", ".ico", ".icns"}
	walk(t, root, func(name string) {
		if slices.Contains(binary, filepath.Ext(name)) {
			return
		}
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Error(err)
			return
		}
		for _, h := range hosts {
			if strings.Contains(string(b), h) {
				t.Errorf("%s names a package registry's host", name)
			}
		}
	})
}

// The table itself must keep the house's one direction.
func TestHouseDirection(t *testing.T) {
	level := func(dir string) int {
		top, _, _ := strings.Cut(dir, "/")
		return slices.Index([]string{"store", "node", "player", "app", "cmd"}, top)
	}
	for _, dir := range slices.Sorted(maps.Keys(house)) {
		for _, in := range house[dir].inner {
			if _, ok := house[in]; !ok {
				t.Errorf("%s may import %s, which is not on the map", dir, in)
			}
			if level(dir) >= 0 && level(in) > level(dir) {
				t.Errorf("%s may import %s: imports go cmd, app, player and node, store", dir, in)
			}
			if strings.HasPrefix(dir, "player") && strings.HasPrefix(in, "node") || strings.HasPrefix(dir, "node") && strings.HasPrefix(in, "player") {
				t.Errorf("%s may import %s: player and node meet over HTTP alone", dir, in)
			}
			if house[dir].pure && !house[in].pure {
				t.Errorf("%s is pure and may import %s, which is not", dir, in)
			}
		}
	}
}

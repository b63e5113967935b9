package view

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"coral/assets"
)

// message is a translation: one text, or one for each plural form.
type message struct {
	text  string
	forms map[string]string
}

func (m *message) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &m.text) == nil {
		return nil
	}
	return json.Unmarshal(b, &m.forms)
}

func (m message) texts() []string {
	if m.forms == nil {
		return []string{m.text}
	}
	return slices.Collect(maps.Values(m.forms))
}

func translations(t *testing.T, language string) map[string]message {
	t.Helper()
	data, err := fs.ReadFile(assets.Translations(), "translations/"+language+".json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]message{}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatalf("%s: %v", language, err)
	}
	return all
}

// saidIn finds each call of lang.L, lang.N and lang.X in a package's sources, and
// returns the keys; true are those of lang.N.
func saidIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	set := token.NewFileSet()
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, dir+"/"+f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); !ok || pkg.Name != "lang" || len(sel.Sel.Name) > 1 {
				return true
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: lang.%s of something that is no literal: no translator can find it", set.Position(call.Pos()), sel.Sel.Name)
				return true
			}
			key, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			keys[key] = keys[key] || sel.Sel.Name == "N"
			return true
		})
	}
	return keys
}

var placeholder = regexp.MustCompile(`\{\{\.(\w+)\}\}`)

func placeholders(s string) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestTranslations fails if a text of the screens is missing in a language, has
// no plural forms where it counts, or names other values than the English one;
// and if a translation is of a text that is no longer there.
func TestTranslations(t *testing.T) {
	keys := saidIn(t, ".")
	for key, plural := range saidIn(t, "..") { // package app's notices
		keys[key] = keys[key] || plural
	}
	if len(keys) < 100 {
		t.Fatalf("only %d texts were found", len(keys))
	}
	for _, language := range []string{"en", "de"} {
		all := translations(t, language)
		for key, plural := range keys {
			m, ok := all[key]
			switch {
			case !ok:
				t.Errorf("%s.json: %q is missing", language, key)
				continue
			case plural && (m.forms["one"] == "" || m.forms["other"] == ""):
				t.Errorf("%s.json: %q needs the forms one and other", language, key)
			case !plural && m.text == "":
				t.Errorf("%s.json: %q is empty", language, key)
			}
			for _, text := range m.texts() {
				if want := placeholders(key); !slices.Equal(placeholders(text), want) {
					t.Errorf("%s.json: %q does not have the values of %q", language, text, key)
				}
			}
		}
		for key := range all {
			if _, ok := keys[key]; !ok {
				t.Errorf("%s.json: %q is said nowhere", language, key)
			}
		}
	}
}

// TestGermanLooksGerman finds what slips into translations: English quotation
// marks, the formal address, no space before an ellipsis.
func TestGermanLooksGerman(t *testing.T) {
	wrong := regexp.MustCompile(`“[^„]*”|"|\b(Ihre?[mnrs]?|Ihnen)\b|[[:alpha:]]…|\bSie (können|haben|müssen|sind)\b`)
	for key, m := range translations(t, "de") {
		for _, text := range m.texts() {
			if bad := wrong.FindString(text); bad != "" {
				t.Errorf("%q: %q in %q", key, bad, text)
			}
		}
	}
}

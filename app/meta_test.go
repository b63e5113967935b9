package app

import (
	"os"
	"strings"
	"testing"
)

// What a plain build knows of itself is what FyneApp.toml says.
func TestMetadata(t *testing.T) {
	b, err := os.ReadFile("../FyneApp.toml")
	if err != nil {
		t.Fatal(err)
	}
	file := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, "="); ok {
			file[strings.TrimSpace(key)] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	describe(file["Version"])
	if file["ID"] != ID || file["Name"] != "Coral" || file["fyneDo"] != "true" {
		t.Errorf("FyneApp.toml says %+v", file)
	}
	if _, err := os.Stat("../" + file["Icon"]); err != nil {
		t.Error(err)
	}
}

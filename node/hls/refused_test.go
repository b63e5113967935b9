package hls

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestRefused(t *testing.T) {
	list := "#EXTM3U\n#EXT-X-TARGETDURATION:6\n"
	for name, f := range map[string]struct {
		text string
		want error
	}{
		"empty":              {"", ErrNotPlaylist},
		"blank":              {"\n\n  \n", ErrNotPlaylist},
		"page":               {"<html>404</html>", ErrNotPlaylist},
		"EXTM3U8":            {"#EXTM3U8\n#EXTINF:1,\na", ErrNotPlaylist},
		"binary":             {string(make([]byte, 1000)), ErrNotPlaylist},
		"nothing":            {"#EXTM3U\n", ErrEmpty},
		"URIs only":          {"#EXTM3U\na.ts\nb.ts", ErrEmpty},
		"both":               {list + "#EXTINF:1,\na\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb", nil},
		"no variant":         {"#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"b\"", nil},
		"I-frames":           {list + "#EXT-X-I-FRAMES-ONLY\n#EXTINF:1,\na", nil},
		"delta":              {list + "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXTINF:1,\na", nil},
		"long line":          {list + "#" + strings.Repeat("x", maxLine), ErrTooLarge},
		"long URI":           {list + "#EXTINF:1,\n" + strings.Repeat("x", maxURI+1), ErrTooLarge},
		"long map URI":       {list + "#EXT-X-MAP:URI=\"" + strings.Repeat("x", maxURI+1) + `"`, ErrTooLarge},
		"live, many lines":   {list + strings.Repeat("#EXTINF:1,\na\n", maxLines/2), ErrTooLarge},
		"live, many bytes":   {list + strings.Repeat("#EXTINF:1,\n"+strings.Repeat("a", 1000)+"\n", 1100), ErrTooLarge},
		"VOD, many lines":    {list + "#EXT-X-ENDLIST\n" + strings.Repeat("\n", maxLinesLong), ErrTooLarge},
		"VOD, many bytes":    {list + "#EXT-X-ENDLIST\n" + strings.Repeat(strings.Repeat("#", 4000)+"\n", 1100), ErrTooLarge},
		"many renditions":    {"#EXTM3U\n" + strings.Repeat("#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", MaxRenditions+1), ErrTooLarge},
		"many alternatives":  {"#EXTM3U\n" + strings.Repeat("#EXT-X-MEDIA:TYPE=AUDIO\n", MaxRenditions+1), ErrTooLarge},
		"many attributes":    {"#EXTM3U\n#EXT-X-STREAM-INF:" + strings.Repeat("A=1,", maxAttributes+1), nil},
		"many variables":     {"#EXTM3U\n" + strings.Repeat("#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n#EXT-X-DEFINE:IMPORT=\"a\"\n", 2), nil},
		"many key formats":   {list + keyFormats(maxKeyFormats+1), nil},
		"control character":  {list + "#EXTINF:1,\na\x00b", nil},
		"carriage return":    {list + "#EXTINF:1,\na\r#EXT-X-ENDLIST", nil},
		"no duration":        {list + "#EXTINF:,\na", nil},
		"NaN":                {list + "#EXTINF:NaN,\na", nil},
		"infinite":           {list + "#EXTINF:Inf,\na", nil},
		"negative":           {list + "#EXTINF:-1,\na", nil},
		"a week":             {list + "#EXTINF:604800,\na", nil},
		"target":             {"#EXTM3U\n#EXT-X-TARGETDURATION:1e99", nil},
		"sequence":           {list + "#EXT-X-MEDIA-SEQUENCE:18446744073709551615\n#EXTINF:1,\na", nil},
		"negative sequence":  {list + "#EXT-X-MEDIA-SEQUENCE:-1", nil},
		"discontinuities":    {list + "#EXT-X-DISCONTINUITY-SEQUENCE:99999999999999999999", nil},
		"range from nowhere": {list + "#EXTINF:1,\n#EXT-X-BYTERANGE:10\na", nil},
		"range of another":   {list + "#EXTINF:1,\n#EXT-X-BYTERANGE:10@0\na\n#EXTINF:1,\n#EXT-X-BYTERANGE:10\nb", nil},
		"empty range":        {list + "#EXTINF:1,\n#EXT-X-BYTERANGE:0@0\na", nil},
		"negative range":     {list + "#EXTINF:1,\n#EXT-X-BYTERANGE:-1@0\na", nil},
		"negative offset":    {list + "#EXTINF:1,\n#EXT-X-BYTERANGE:1@-1\na", nil},
		"huge range":         {list + "#EXTINF:1,\n#EXT-X-BYTERANGE:9223372036854775807@9223372036854775807\na", nil},
		"ranges add up":      {list + "#EXTINF:1,\n#EXT-X-BYTERANGE:1125899906842624@1125899906842624\na", nil},
		"map without URI":    {list + "#EXT-X-MAP:BYTERANGE=\"1@0\"", nil},
		"key without method": {list + "#EXT-X-KEY:URI=\"k\"", nil},
		"key without URI":    {list + "#EXT-X-KEY:METHOD=AES-128", nil},
		"bad IV":             {list + "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0xzz", nil},
		"long IV":            {list + "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x" + strings.Repeat("0", 33), nil},
		"no 0x":              {list + "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=00", nil},
		"open quote":         {list + "#EXT-X-MAP:URI=\"a", nil},
		"undefined":          {list + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n#EXTINF:1,\n{$c}", nil},
		"imported":           {list + "#EXT-X-DEFINE:IMPORT=\"a\"", nil},
		"tag by variable":    {list + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"#EXT-X-ENDLIST\"\n#EXTINF:1,\n{$a}", nil},
		"expansion":          {list + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"" + strings.Repeat("x", 2000) + "\"\n#EXTINF:1,\n" + strings.Repeat("{$a}", 1000), ErrTooLarge},
	} {
		mv, m, err := Parse([]byte(f.text))
		if err == nil || mv != nil || m != nil {
			t.Errorf("%s: %v %v %v", name, mv, m, err)
		}
		if f.want != nil && !errors.Is(err, f.want) {
			t.Errorf("%s: %v, want %v", name, err, f.want)
		}
		if err != nil && (len(err.Error()) > 200 || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func keyFormats(n int) (s string) {
	for i := range n {
		s += fmt.Sprintf("#EXT-X-KEY:METHOD=AES-128,URI=\"k\",KEYFORMAT=\"%d\"\n", i)
	}
	return s
}

// The largest playlists that are taken cost little.
func TestLargest(t *testing.T) {
	var b strings.Builder
	b.WriteString("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n")
	for i := range 21_600 { // a day
		fmt.Fprintf(&b, "#EXTINF:4.004,\nhttps://cdn.example/some/folder/segment-%d.ts\n", i)
	}
	b.WriteString("#EXT-X-ENDLIST\n")
	begun := time.Now()
	m := media(t, b.String())
	if took := time.Since(begun); len(m.Segments) != 21_600 || took > 5*second {
		t.Errorf("%d segments in %v", len(m.Segments), took)
	}
	b.Reset()
	b.WriteString("#EXTM3U\n")
	for i := range MaxRenditions / 2 {
		fmt.Fprintf(&b, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"%d\",URI=\"%d\"\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv%d\n", i, i, i)
	}
	mv, _, err := Parse([]byte(b.String()))
	if err != nil || len(mv.Renditions) != MaxRenditions {
		t.Fatal(err)
	}
	checkMultivariant(t, mv)
}

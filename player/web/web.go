package web

import (
	"embed"
	"io/fs"
)

// HLSVersion is the version of hls.js in the page.
const HLSVersion = "1.7.4"

//go:embed page
var page embed.FS

// Files are the page's: flat, with an index.html.
func Files() fs.FS {
	sub, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}

// Licence is that of hls.js, which asks to be shown with it.
func Licence() string {
	b, err := page.ReadFile("page/hls.LICENSE.txt")
	if err != nil {
		panic(err) // the file is embedded
	}
	return string(b)
}

package assets

import "embed"

//go:embed translations/*.json
var translations embed.FS

// Translations holds a file for each language in the folder "translations":
// en.json, de.json. The keys are the English texts of package view.
func Translations() embed.FS { return translations }

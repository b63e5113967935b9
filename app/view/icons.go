package view

import "fyne.io/fyne/v2"

// Icons that Fyne does not have, in its 24-unit grid. Those on posters are
// white, whatever the theme.
var (
	iconStar = svg("star", `<path fill="#ffffff" d="M22 9.24l-7.19-.62L12 2 9.19 8.63 2 9.24l5.46 4.73L5.82 21 12 17.27 18.18 21l-1.63-7.03L22 9.24zM12 15.4l-3.76 2.27 1-4.28-3.32-2.88 4.38-.38L12 6.1l1.71 4.04 4.38.38-3.32 2.88 1 4.28L12 15.4z"/>`)

	iconStarred = svg("starred", `<path fill="#ffd166" d="M12 17.27L18.18 21l-1.64-7.03L22 9.24l-7.19-.61L12 2 9.19 8.63 2 9.24l5.46 4.73L5.82 21z"/>`)

	iconPlayDisc = svg("play-disc", `<circle cx="12" cy="12" r="11" fill="#ffffff" fill-opacity="0.94"/><path fill="#16202a" d="M9.6 7.2v9.6L17 12z"/>`)
)

func svg(name, body string) fyne.Resource {
	return fyne.NewStaticResource(name+".svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24">`+body+`</svg>`))
}

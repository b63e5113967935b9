// Package surface is the Fyne canvas object that shows a player's pictures, as
// large as they fit, in the middle, on black.
//
// It belongs to Fyne's goroutine, as every widget does. Only the notice that
// there is a new picture comes from another goroutine; it becomes at most one
// waiting call of fyne.Do, however many pictures come meanwhile. After Detach no
// call is made any more, which must be before the app quits.
//
// What a picture costs is what Fyne does with it: uploading and drawing it. So
// the picture is handed over in the buffer it was rendered into, already in the
// size of the screen; it is drawn without filtering if it fits to the pixel; and
// black is drawn only where there is no picture, because a black rectangle
// beneath would cost as much as the picture itself; and the shade for what lies
// over the picture is part of it.
//
// It refuses to know what plays, and what the taps on it mean.
package surface

// Package screen is a display in memory on which programs that show pictures are
// measured from outside: which picture of a film is on the screen, and since when,
// is read from the screen itself, for our program and for any other in the same
// way.
//
// A film carries the number of each picture as a strip of black and white cells in
// its middle (see Film). A Screen finds the strip wherever it is drawn, however it
// is scaled, and reads it some hundred times a second out of the file that Xvfb
// keeps its pixels in: nobody is asked for a screenshot, so that nobody is slowed.
//
// It refuses to know what the programs are called and what is to be reached.
package screen

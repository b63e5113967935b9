// Package view draws the desktop program's screens: it maps a plain [Model] to
// Fyne's widgets and says what the user wants as [Intent] values.
//
// All of it belongs to Fyne's goroutine but the methods of [Window], which say
// for themselves who may call them. Nothing here opens a file or a socket, waits,
// or decides: package app does, and answers with the next Model. A page keeps
// only what the Model does not have: what is being written, dragged or painted
// just now, and which section is open.
//
// Every word on a screen goes through Fyne's package lang with the English text
// as its key; the translations are in package assets, and a test here misses
// none.
package view

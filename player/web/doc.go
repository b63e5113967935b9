// Package web is the built-in web player: a page with hls.js that Coral's proxy
// serves beside a channel's playlists, for machines without libmpv and for
// "open in the browser".
//
// It is plain HTML, CSS and JavaScript modules, which browsers run as they lie
// here: there is nothing to build. The page loads nothing from the network but
// its own files, the channel (../play/), what the proxy tells of it
// (../status.json) and its one command (../share); the proxy's
// Content-Security-Policy holds it to that.
//
// The page's parts:
//
//	main.js      puts the others together
//	player.js    hls.js and the video element: one state, and what can be done to it; begins anew when a live channel breaks off
//	status.js    asks the proxy where the picture comes from, and pauses sharing
//	controls.js  the buttons over the picture and when they go away
//	seekbar.js   the bar that shows what can be reached
//	menu.js      rendition, sound, subtitles, speed
//	captions.js  draws what the subtitles say
//	keys.js      the keyboard, as in the app
//	session.js   the system's media keys
//	words.js     every text, in English and German
//	statement.js what stands over the picture when there is none
//
// hls.min.mjs, hls.worker.js and hls.LICENSE.txt are those of the npm package
// hls.js, version [HLSVersion], unchanged; a test holds their digests.
//
// The package knows neither node nor app: the page's way to them is HTTP.
package web

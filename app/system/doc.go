// Package system is everything that Coral's desktop program says to and hears
// from the operating system: its folders, the one running instance, links that
// the desktop opens, power and network conditions, the screen saver, media keys,
// other programs, network interfaces, and a log file that can be given away.
//
// Each matter has one file with its words and one for each system that has a way
// of its own; where a system has none, the function says so in an error or does
// nothing, and its comment tells which. All of it works without cgo.
//
//	matter          Linux, BSD               Windows                    macOS
//	one instance    flock, loopback          LockFileEx, loopback       flock, loopback
//	link handler    .desktop, xdg-mime       HKCU\Software\Classes      cannot: links come as Apple events
//	metered         NetworkManager           INetworkCostManager        not known without cgo: never metered
//	on battery      UPower, else /sys        GetSystemPowerStatus       pmset
//	screen stays on ScreenSaver, else portal SetThreadExecutionState    caffeinate
//	media keys      MPRIS                    –                          –
//	open a URL      xdg-open                 ShellExecute               open
//
// # Goroutines
//
// What lives longer than a call has a Run(ctx) or is a function that blocks until
// ctx ends: Instance.Run, Watch, Awake.Run and MPRIS.Run. Each of them owns its
// connection to the system; Awake.Set and MPRIS.Set only leave the newest wish
// behind a mutex and return. What the system says comes as values on channels
// with a bounded queue; what does not fit is refused to whoever sent it.
// A LogFile may be used by any goroutine.
//
// # What it refuses to know
//
// Channels, swarms, players, settings and windows: it carries strings and plain
// values, and does not judge links (package app parses what Instance and MPRIS
// hand over as carefully as what a user types). No command goes through a shell,
// and nothing that came from outside can become an option of another program.
package system

package system

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

func openBrowser(u string) error {
	verb, err := windows.UTF16PtrFromString("open")
	if err != nil {
		return err
	}
	file, err := windows.UTF16PtrFromString(u)
	if err != nil {
		return err
	}
	return windows.ShellExecute(0, verb, file, nil, nil, windows.SW_SHOWNORMAL)
}

func knownPlayers() []known {
	programs := func(path string) (list []string) {
		for _, env := range []string{"ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"} {
			if dir := os.Getenv(env); dir != "" {
				list = append(list, filepath.Join(dir, path))
			}
		}
		return list
	}
	return []known{
		{"mpv", append([]string{"mpv.exe"}, programs(`mpv\mpv.exe`)...), []string{"--force-window", "--no-terminal", "--"}},
		{"mpv.net", append([]string{"mpvnet.exe"}, programs(`Programs\mpv.net\mpvnet.exe`)...), nil},
		{"VLC", append([]string{"vlc.exe"}, programs(`VideoLAN\VLC\vlc.exe`)...), nil},
		{"MPC-HC", programs(`MPC-HC\mpc-hc64.exe`), nil},
		{"ffplay", []string{"ffplay.exe"}, []string{"-loglevel", "error", "-i"}},
	}
}

// detach keeps our console's Ctrl+C from the program.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

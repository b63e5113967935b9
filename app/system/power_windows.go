package system

import (
	"context"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// powerPeriod is how soon a change shows; asking takes microseconds.
const powerPeriod = 10 * time.Second

// What INetworkCostManager::GetCost says of a network that is paid by volume
// (netlistmgr.h, NLM_CONNECTION_COST).
const (
	costFixed         = 0x2
	costVariable      = 0x4
	costOverDataLimit = 0x10000
	costRoaming       = 0x40000
)

var (
	getSystemPowerStatus = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemPowerStatus")
	ole32                = windows.NewLazySystemDLL("ole32.dll")
	coCreateInstance     = ole32.NewProc("CoCreateInstance")
	coUninitialize       = ole32.NewProc("CoUninitialize")

	classNetworkListManager = windows.GUID{Data1: 0xDCB00C01, Data2: 0x570F, Data3: 0x4A9B, Data4: [8]byte{0x8D, 0x69, 0x19, 0x9F, 0xDB, 0xA5, 0x72, 0x3B}}
	interfaceCostManager    = windows.GUID{Data1: 0xDCB00008, Data2: 0x570F, Data3: 0x4A9B, Data4: [8]byte{0x8D, 0x69, 0x19, 0x9F, 0xDB, 0xA5, 0x72, 0x3B}}
)

// costManager is an INetworkCostManager as COM lays it out.
type costManager struct {
	methods *struct {
		queryInterface, addRef, release     uintptr
		getCost, getDataPlanStatus, setDest uintptr
	}
}

func watch(ctx context.Context, f func(Conditions)) error {
	// COM belongs to a thread. It is not given back: others' calls must not find
	// it in our apartment.
	runtime.LockOSThread()
	var costs *costManager
	const already = syscall.Errno(1) // S_FALSE: by this thread, which still counts
	if err := windows.CoInitializeEx(0, windows.COINIT_MULTITHREADED); err == nil || err == already {
		defer func() { _, _, _ = coUninitialize.Call() }()
		const inAnyServer = 0x17 // CLSCTX_ALL
		if r, _, _ := coCreateInstance.Call(uintptr(unsafe.Pointer(&classNetworkListManager)), 0, inAnyServer,
			uintptr(unsafe.Pointer(&interfaceCostManager)), uintptr(unsafe.Pointer(&costs))); int32(r) < 0 {
			costs = nil // before Windows 8
		}
	}
	if costs != nil {
		defer func() { _, _, _ = syscall.SyscallN(costs.methods.release, uintptr(unsafe.Pointer(costs))) }()
	}
	poll(ctx, func(ctx context.Context) bool { return pause(ctx, powerPeriod) }, func() Conditions {
		return Conditions{Metered: metered(costs), OnBattery: onBattery()}
	}, f)
	return nil
}

func metered(m *costManager) bool {
	if m == nil {
		return false
	}
	var cost uint32
	r, _, _ := syscall.SyscallN(m.methods.getCost, uintptr(unsafe.Pointer(m)), uintptr(unsafe.Pointer(&cost)), 0) // no address: the default route
	return int32(r) >= 0 && cost&(costFixed|costVariable|costOverDataLimit|costRoaming) != 0
}

func onBattery() bool {
	var s struct { // SYSTEM_POWER_STATUS
		acLine, battery, percent, saver byte
		left, full                      uint32
	}
	r, _, _ := getSystemPowerStatus.Call(uintptr(unsafe.Pointer(&s)))
	return r != 0 && s.acLine == 0 // 1: on mains, 255: unknown
}

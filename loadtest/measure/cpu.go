package measure

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc: 100 a second on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// stat is what /proc says of a process.
type stat struct {
	parent int
	// own is its CPU time, reaped that of children that have ended.
	own, reaped time.Duration
	memory      int64
}

func readStat(pid int) (stat, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	// The name in parentheses may hold anything, so fields count from its end.
	at := bytes.LastIndexByte(b, ')')
	fields := strings.Fields(string(b[at+1:]))
	if at < 0 || len(fields) < 22 {
		return stat{}, fmt.Errorf("read /proc/%d/stat: %q", pid, b)
	}
	n := func(i int) int64 {
		v, _ := strconv.ParseInt(fields[i], 10, 64) // the kernel writes numbers
		return v
	}
	return stat{
		parent: int(n(1)), own: time.Duration(n(11)+n(12)) * tick, reaped: time.Duration(n(13)+n(14)) * tick,
		memory: n(21) * int64(os.Getpagesize()),
	}, nil
}

// Tree is the CPU time of a process and of its children, those that have ended
// and were waited for included; and the memory of the process itself.
func Tree(pid int) (cpu time.Duration, memory int64, err error) {
	root, err := readStat(pid)
	if err != nil {
		return 0, 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	cpu = root.own + root.reaped
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, 0, fmt.Errorf("list processes: %w", err)
	}
	for _, entry := range entries {
		child, _ := strconv.Atoi(filepath.Base(entry))
		if s, err := readStat(child); err == nil && s.parent == pid {
			cpu += s.own + s.reaped
		}
	}
	return cpu, root.memory, nil
}

// Alone is the CPU time and the memory of a process without its children.
func Alone(pid int) (cpu time.Duration, memory int64, err error) {
	s, err := readStat(pid)
	if err != nil {
		return 0, 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	return s.own, s.memory, nil
}

// Machine is the CPU time that all of the machine has used.
func Machine() (time.Duration, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read the machine's CPU time: %w", err)
	}
	return parseMachine(string(b)), nil
}

// parseMachine adds up user, nice, system, irq, softirq and steal: idle and
// iowait are no use, guest is in user already.
func parseMachine(text string) time.Duration {
	line, _, _ := strings.Cut(text, "\n")
	var sum time.Duration
	for i, field := range strings.Fields(line) {
		if i == 1 || i == 2 || i == 3 || i == 6 || i == 7 || i == 8 {
			n, _ := strconv.ParseInt(field, 10, 64) // the kernel writes numbers
			sum += time.Duration(n) * tick
		}
	}
	return sum
}

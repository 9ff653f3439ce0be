package host

import (
	"bytes"
	"math"
	"os"
	"strconv"
	"strings"
)

// limits are where a cgroup says how much memory its members may have, version
// 2 and 1. Inside a container they are its own; outside they say nothing.
var limits = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

func memory() int64 {
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	total := parseMeminfo(info)
	for _, path := range limits {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// "max", or a number near 2^63 for no limit.
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && limit > 0 && limit < total {
			total = limit
		}
	}
	return total
}

// parseMeminfo reads the line "MemTotal:  24576000 kB".
func parseMeminfo(info []byte) int64 {
	for line := range bytes.Lines(info) {
		fields := bytes.Fields(line)
		if len(fields) < 2 || string(fields[0]) != "MemTotal:" {
			continue
		}
		kib, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil || kib > math.MaxInt64>>10 {
			return 0
		}
		return kib << 10
	}
	return 0
}

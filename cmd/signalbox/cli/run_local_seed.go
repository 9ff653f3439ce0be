package cli

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
)

// anySeed is --shuffle without a seed.
const anySeed = "any"

// seed is the order that --shuffle asks for; nil: none. A new one is told, so that
// what it showed can be seen again.
func (l *localCommand) seed() (*uint64, error) {
	switch l.shuffle {
	case "":
		return nil, nil
	case anySeed:
		var b [4]byte // short enough to be typed
		if _, err := io.ReadFull(l.opts.Random, b[:]); err != nil {
			return nil, fmt.Errorf("make a seed: %w", err)
		}
		n := uint64(binary.BigEndian.Uint32(b[:]))
		l.note("The same order again: --shuffle=%d", n)
		return &n, nil
	}
	n, err := strconv.ParseUint(l.shuffle, 10, 64)
	if err != nil {
		return nil, exit.Usagef("--shuffle=%s: a seed is a number from 0, as in --shuffle=7", l.shuffle)
	}
	return &n, nil
}

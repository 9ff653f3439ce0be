package step

import (
	"fmt"
	"hash/fnv"
	"strconv"
)

// Gang is what a member of a gang may know of the others.
type Gang struct {
	Rank, Size uint32
	// Address is where member 0 is found; empty if its agent told nobody.
	Address string
}

// The ports at which members meet: below those that Linux hands out by itself.
const (
	firstPort = 20_000
	portCount = 10_000
)

// environ has our names and those of torchrun. The port follows from the
// attempt, so that all members know it and the next attempt has another.
func (g *Gang) environ(id *Identity) []string {
	rank, size := strconv.FormatUint(uint64(g.Rank), 10), strconv.FormatUint(uint64(g.Size), 10)
	hash := fnv.New32a()
	_, _ = fmt.Fprintf(hash, "%s/%s/%d", id.RunID, id.Task, id.Attempt) // it never fails
	port := strconv.FormatUint(uint64(firstPort+hash.Sum32()%portCount), 10)
	return []string{
		"SB_GANG_SIZE=" + size, "SB_GANG_RANK=" + rank,
		"MASTER_ADDR=" + g.Address, "MASTER_PORT=" + port, "WORLD_SIZE=" + size, "RANK=" + rank,
	}
}

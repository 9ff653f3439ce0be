package gpu

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// columns are what nvidia-smi is asked for.
const columns = "index,uuid,name,memory.total,driver_version,mig.mode.current"

// maxDevices is more than any machine has, and the most that an agent may offer.
const maxDevices = 1024

// validID keeps what goes into an environment variable, where a comma separates.
var validID = regexp.MustCompile(`^(GPU|MIG)-[0-9A-Za-z][0-9A-Za-z/-]{0,99}$`)

// card is a line of the table: a device, or what holds some.
type card struct {
	Device

	partitioned bool
}

// parseCards reads the table. A field that a driver does not know, as in "[N/A]",
// is empty; a card without a UUID cannot be handed out and is an error.
func parseCards(text []byte) ([]card, error) {
	reader := csv.NewReader(bytes.NewReader(text))
	reader.TrimLeadingSpace, reader.LazyQuotes, reader.ReuseRecord = true, true, true
	reader.FieldsPerRecord = strings.Count(columns, ",") + 1
	var cards []card
	seen := map[string]bool{}
	for {
		row, err := reader.Read()
		switch {
		case errors.Is(err, io.EOF):
			return cards, nil
		case err != nil:
			return nil, fmt.Errorf("read the table of GPUs: %w", err)
		case len(cards) == maxDevices:
			return nil, fmt.Errorf("read the table of GPUs: it has more than %d", maxDevices)
		}
		for i := range row {
			row[i] = known(row[i])
		}
		if !validID.MatchString(row[1]) || seen[row[1]] {
			return nil, fmt.Errorf("read the table of GPUs: %.40q is not the UUID of one GPU", row[1])
		}
		seen[row[1]] = true
		memory, _ := strconv.ParseInt(row[3], 10, 64)
		cards = append(cards, card{
			Device:      Device{ID: row[1], Type: TypeOf(row[2]), Name: row[2], Memory: max(0, memory), Driver: row[4]},
			partitioned: strings.EqualFold(row[5], "enabled"),
		})
	}
}

// known is a field, or nothing for "[N/A]" and "[Not Supported]".
func known(field string) string {
	field = strings.TrimSpace(field)
	if strings.HasPrefix(field, "[") {
		return ""
	}
	return field
}

var (
	cardLine     = regexp.MustCompile(`^GPU \d+: .*\(UUID: ([^)]+)\)`)
	instanceLine = regexp.MustCompile(`^\s+MIG (\S+)\s+Device\s+\d+:\s+\(UUID: ([^)]+)\)`)
)

// instances reads the list of cards with what each is partitioned into, and puts
// the instances in the place of their card:
//
//	GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-4404041a-…)
//	  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-…)
//
// A task that asks for an a100 does not mean a seventh of one: an instance is of
// its own type, a100-3g.20gb.
func instances(cards []card, list []byte) []Device {
	parts := map[string][]Device{}
	var holder string
	types := map[string]string{}
	for _, c := range cards {
		types[c.ID] = c.Type
	}
	for line := range strings.Lines(string(list)) {
		if m := cardLine.FindStringSubmatch(line); m != nil {
			holder = m[1]
		} else if m := instanceLine.FindStringSubmatch(line); m != nil && validID.MatchString(m[2]) {
			profile := strings.Trim(notInType.ReplaceAllString(strings.ToLower(m[1]), "-"), "-.")
			parts[holder] = append(parts[holder], Device{ID: m[2], Type: cut(strings.Trim(types[holder]+"-"+profile, "-"))})
		}
	}
	var devices []Device
	seen := map[string]bool{}
	for _, c := range cards {
		held := []Device{c.Device}
		if c.partitioned {
			held = parts[c.ID] // none, if nobody has made any: the card itself runs nothing
		}
		for _, d := range held {
			if seen[d.ID] || len(devices) == maxDevices {
				continue
			}
			seen[d.ID] = true
			d.Name, d.Driver = c.Name, c.Driver
			devices = append(devices, d)
		}
	}
	return devices
}

var notInType = regexp.MustCompile(`[^a-z0-9._-]+`)

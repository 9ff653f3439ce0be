package gpu

import (
	"fmt"
	"strconv"
	"strings"
)

// Wish is what the settings say about GPUs.
type Wish struct {
	Most int    // how many to give away; All: what there is
	Type string // to be theirs, or to be picked from several; may be empty
}

// All is a Wish without a number.
const All = -1

// ParseMost reads a number of GPUs: auto, none, or digits.
func ParseMost(text string) (int, error) {
	switch text {
	case "auto":
		return All, nil
	case "none":
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxDevices {
		return 0, fmt.Errorf("want auto, none or a number up to %d, got %q", maxDevices, text)
	}
	return n, nil
}

// counted are devices that nobody can be asked about: the driver numbers them.
func (w Wish) counted() Found {
	found := Found{}
	for i := range max(0, w.Most) {
		found.Devices = append(found.Devices, Device{ID: strconv.Itoa(i), Type: w.Type})
	}
	if len(found.Devices) > 0 {
		found.Type = w.Type
	}
	return found
}

// pick keeps devices of one type, since tasks are matched with agents, not with
// devices: on a machine with several types it is the one that is asked for, else
// the one with the most devices.
func (w Wish) pick(devices []Device) Found {
	count := map[string]int{}
	for _, d := range devices {
		count[d.Type]++
	}
	kind := ""
	for _, d := range devices {
		switch {
		case w.Type != "" && strings.EqualFold(d.Type, w.Type):
			kind = d.Type
		case w.Type == "" && (count[kind] == 0 || count[d.Type] > count[kind]):
			kind = d.Type
		}
	}
	var found Found
	if w.Type != "" && count[kind] == 0 { // the person knows better what they are called
		found.Devices = append(found.Devices, devices...)
	}
	for _, d := range devices {
		if count[kind] > 0 && d.Type == kind {
			found.Devices = append(found.Devices, d)
		}
	}
	if w.Type != "" {
		kind = w.Type
	}
	for i := range found.Devices {
		found.Devices[i].Type = kind
	}
	switch n := len(found.Devices); {
	case w.Most > n:
		found.Remark = fmt.Sprintf("%d GPUs are to be given away, and %d are found", w.Most, n)
	case w.Most >= 0:
		found.Devices = found.Devices[:w.Most]
	case n < len(devices):
		found.Remark = fmt.Sprintf("only the GPUs of type %s are given away, %d of %d: an agent has one type; "+
			"another agent with --gpu-type can have the others", kind, n, len(devices))
	}
	if len(found.Devices) > 0 {
		found.Type = kind
	}
	return found
}

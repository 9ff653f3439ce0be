package agentapi

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
)

// What an agent may say of itself. It is kept, shown to people, and printed in
// terminals, which obey control characters.
const (
	maxName        = 100
	maxVersion     = 100
	maxAddress     = 600 // sealed
	maxGPUType     = 100
	maxLabels      = 64
	maxLabelKey    = 63
	maxLabelValue  = 128
	maxKids        = 64
	maxAdopted     = 10_000
	maxSlots       = 10_000
	maxGPUs        = 1024
	maxPolicyBytes = 64
)

// checkText refuses what is not one line of text of least to most bytes.
func checkText(path, text string, least, most int) error {
	if n := len(text); n < least || n > most || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return fault.Invalid("INVALID_ARGUMENT", "%s must be one line of %d to %d bytes", path, least, most)
	}
	return nil
}

// checkOpening bounds what a session says of its agent.
func checkOpening(req *agentv1.OpenSessionRequest) error {
	c := req.GetCapacity()
	switch {
	case c.GetSlots() == 0 || c.GetSlots() > maxSlots:
		return fault.Invalid("INVALID_ARGUMENT", "capacity.slots must be 1 to %d", maxSlots)
	case c.GetGpus() > maxGPUs:
		return fault.Invalid("INVALID_ARGUMENT", "capacity.gpus must be at most %d", maxGPUs)
	case c.GetCpuMillis() < 0 || c.GetMemoryBytes() < 0:
		return fault.Invalid("INVALID_ARGUMENT", "capacity must not be negative")
	case len(req.GetLabels()) > maxLabels:
		return fault.Invalid("INVALID_ARGUMENT", "an agent has at most %d labels", maxLabels)
	case len(req.GetSealingKids()) > maxKids:
		return fault.Invalid("INVALID_ARGUMENT", "an agent holds at most %d sealing keys", maxKids)
	case len(req.GetAdopted()) > maxAdopted:
		return fault.Invalid("INVALID_ARGUMENT", "at most %d leases are adopted", maxAdopted)
	case len(req.GetPolicyDigest()) > maxPolicyBytes:
		return fault.Invalid("INVALID_ARGUMENT", "policy_digest has at most %d bytes", maxPolicyBytes)
	}
	if err := checkText("version", req.GetVersion(), 0, maxVersion); err != nil {
		return err
	}
	if err := checkText("capacity.gpu_type", c.GetGpuType(), 0, maxGPUType); err != nil {
		return err
	}
	if err := checkText("address", req.GetAddress(), 0, maxAddress); err != nil {
		return err
	}
	for _, kid := range req.GetSealingKids() {
		if err := checkText("sealing_kids", kid, 16, 16); err != nil {
			return err
		}
	}
	for k, v := range req.GetLabels() {
		if err := checkText("the key of a label", k, 1, maxLabelKey); err != nil {
			return err
		}
		if err := checkText("the value of a label", v, 0, maxLabelValue); err != nil {
			return err
		}
	}
	return nil
}

package value

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// Workspace opens and seals the values of one workspace. It is safe for
// concurrent use.
type Workspace struct {
	org     id.UUID
	id      id.UUID
	keyring *Keyring
	sender  *seal.Sender
}

// NewWorkspace seals to the workspace's current public key and opens with what
// the keyring holds.
func NewWorkspace(org, workspace id.UUID, keyring *Keyring, current seal.PublicKey) *Workspace {
	return &Workspace{org: org, id: workspace, keyring: keyring, sender: seal.NewSender(current, time.Now, rand.Reader)}
}

// maxErrorText is how much of an error text is kept: the beginning says what it
// is about, and a sealed one must fit an envelope.
const maxErrorText = 32 << 10

func (w *Workspace) binding(name string) seal.Binding {
	return seal.Binding{Org: w.org, Workspace: w.id, Name: name}
}

// open returns a value's canonical JSON.
func (w *Workspace) open(v link.Value, name string) (json.RawMessage, error) {
	if v.Sealed == nil {
		return v.Open, nil
	}
	return w.keyring.Ring().Open(w.binding(name), v.Sealed)
}

// SealOutputs makes a task's outputs ready to be sent: those that are declared
// open stay so, the others are sealed under the path of the task.
func (w *Workspace) SealOutputs(path string, task *plan.Task, values map[string]json.RawMessage) ([]link.Value, error) {
	var sealed []link.Value
	for _, declared := range task.Outputs {
		raw, ok := values[declared.Name]
		if !ok {
			continue
		}
		v := link.Value{Name: declared.Name, Type: string(declared.Type), Size: uint32(len(raw))}
		if declared.Open {
			v.Open = raw
		} else {
			envelope, err := w.sender.Seal(w.binding(seal.OutputName(path, declared.Name)), raw)
			if err != nil {
				return nil, fmt.Errorf("seal output %s: %w", declared.Name, err)
			}
			v.Sealed = envelope
		}
		sealed = append(sealed, v)
	}
	return sealed, nil
}

// SealError seals an error text, which may be cut.
func (w *Workspace) SealError(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxErrorText {
		text = text[:maxErrorText] + "…"
	}
	envelope, err := w.sender.Seal(w.binding(seal.ErrorName), []byte(text))
	if err != nil {
		return nil, fmt.Errorf("seal an error: %w", err)
	}
	return envelope, nil
}

// SealAddress seals where other agents reach this one, as text; none stays none.
func (w *Workspace) SealAddress(address string) (string, error) {
	if address == "" {
		return "", nil
	}
	envelope, err := w.sender.Seal(w.binding(seal.AddressName), []byte(address))
	if err != nil {
		return "", fmt.Errorf("seal an address: %w", err)
	}
	return seal.Text(envelope), nil
}

// OpenAddress opens what another agent sealed. One of before addresses were
// sealed comes as it is. The error is an *InputError.
func (w *Workspace) OpenAddress(text string) (string, error) {
	const name = "the address of the gang's first member"
	if !seal.IsText(text) {
		return text, nil
	}
	envelope, err := seal.ParseText(text)
	if err != nil {
		return "", wrong(name, err)
	}
	address, err := w.keyring.Ring().Open(w.binding(seal.AddressName), envelope)
	if err != nil {
		return "", wrong(name, err)
	}
	return string(address), nil
}

// SealArtifact describes an artifact for the control plane: its URI sealed as
// the JSON of a uri, its digest keyed, so that equal things can be told without
// being known. An agent without the private key leaves the digest out.
func (w *Workspace) SealArtifact(path string, declared plan.ArtifactOut, uri string, digest []byte, size int64) (link.Artifact, error) {
	raw, err := json.Marshal(uri)
	if err != nil {
		return link.Artifact{}, fmt.Errorf("seal an artifact's URI: %w", err)
	}
	envelope, err := w.sender.Seal(w.binding(seal.OutputName(path, declared.Name)), raw)
	if err != nil {
		return link.Artifact{}, fmt.Errorf("seal an artifact's URI: %w", err)
	}
	a := link.Artifact{Name: declared.Name, Type: string(declared.Type), SealedURI: envelope, Size: uint64(max(0, size))}
	if key, ok := w.keyring.Ring().Key(w.sender.KID()); ok {
		keyed, err := key.Digest("artifact", digest)
		if err != nil {
			return link.Artifact{}, fmt.Errorf("digest an artifact: %w", err)
		}
		a.Digest = keyed.String()
	}
	return a, nil
}

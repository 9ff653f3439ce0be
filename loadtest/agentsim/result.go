package agentsim

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// ResultName is the output that steps leave.
const ResultName = "result"

// results are what steps leave, of so many bytes. The sealed one is sealed once,
// to a key that nobody has: what sealing takes is the agents' affair, what an
// envelope takes is the control plane's.
func results(size int) (map[driver.Leaving]*runv1.Value, error) {
	if size == 0 {
		return nil, nil
	}
	text := append(append([]byte{'"'}, bytes.Repeat([]byte("r"), max(0, size-2))...), '"')
	key, err := seal.Generate(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a sealing key: %w", err)
	}
	binding := seal.Binding{Org: id.New(), Workspace: id.New(), Name: seal.OutputName("s0", ResultName)}
	envelope, err := seal.NewSender(key.Public(), time.Now, rand.Reader).Seal(binding, text)
	if err != nil {
		return nil, fmt.Errorf("seal a result: %w", err)
	}
	return map[driver.Leaving]*runv1.Value{
		driver.OpenValue:   {Name: ResultName, Type: "string", Size: uint32(size), Content: &runv1.Value_OpenJson{OpenJson: text}},
		driver.SealedValue: {Name: ResultName, Type: "string", Size: uint32(size), Content: &runv1.Value_Sealed{Sealed: envelope}},
	}, nil
}

// leaving is what the steps of a plan leave: they are all alike.
func leaving(encoded []byte) (driver.Leaving, error) {
	p, err := plan.Decode(encoded)
	switch {
	case err != nil:
		return driver.NoValue, err
	case len(p.Tasks) == 0 || len(p.Tasks[0].Outputs) == 0:
		return driver.NoValue, nil
	case p.Tasks[0].Outputs[0].Open:
		return driver.OpenValue, nil
	}
	return driver.SealedValue, nil
}

// Package param says which params a run has: those that were given, and the
// plan's defaults for the others.
//
// Both who shows a run to people (runapi) and who hands its values to an agent
// (agentapi) ask it, so that the two agree. It opens nothing.
package param

import (
	"encoding/base64"
	"fmt"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// WithDefaults lists the params that a run has, in the order of the file: those
// given and, for the others, the plan's defaults.
func WithDefaults(declared []plan.Param, given []*runv1.Value) ([]*runv1.Value, error) {
	byName := make(map[string]*runv1.Value, len(given))
	for _, v := range given {
		byName[v.GetName()] = v
	}
	var out []*runv1.Value
	for i := range declared {
		v := byName[declared[i].Name]
		if v == nil {
			var err error
			if v, err = defaultOf(&declared[i]); err != nil {
				return nil, err
			}
		}
		if v != nil {
			out = append(out, v)
		}
	}
	return out, nil
}

// defaultOf is a param's default as a value; nil where it has none. One that was
// written in the clear into the file is open, whatever the param is: the file
// is.
func defaultOf(p *plan.Param) (*runv1.Value, error) {
	v := &runv1.Value{Name: p.Name, Type: string(p.Type)}
	switch {
	case p.SealedDefault != "":
		envelope, err := base64.RawURLEncoding.DecodeString(p.SealedDefault)
		if err != nil {
			return nil, fmt.Errorf("read the default of param %s: %w", p.Name, err)
		}
		v.Content = &runv1.Value_Sealed{Sealed: envelope}
		if info, err := seal.Inspect(envelope); err == nil {
			v.Size = uint32(info.Size)
		}
	case p.Default != nil:
		v.Content, v.Size = &runv1.Value_OpenJson{OpenJson: p.Default}, uint32(len(p.Default))
	default:
		return nil, nil
	}
	return v, nil
}

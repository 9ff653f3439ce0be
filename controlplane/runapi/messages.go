package runapi

import (
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// Messages are what people get of a run, wherever it is kept.
func Messages(v *rundb.View) (*runv1.Run, []*runv1.Task, error) { return viewMessages(v) }

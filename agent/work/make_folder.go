package work

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/signalboxhq/signalbox/agent/artifact"
	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/step"
)

// makeFolder makes the attempt's folder and stages the artifacts that the task
// reads.
type makeFolder struct {
	root      string
	artifacts *artifact.Store
}

func (s *makeFolder) Handle(_ context.Context, a *Attempt) *step.Verdict {
	a.control.setPhase(link.PhaseStarting)
	folder, err := step.Create(filepath.Join(s.root, strconv.FormatInt(a.Lease.ID, 10)), a.Source)
	if wrong, ok := errors.AsType[*step.SourceError](err); ok {
		return refused(step.CauseInput, wrong.Error(), wrong.Error())
	}
	if err != nil {
		return lost("the attempt's folder could not be made", err)
	}
	a.Folder = folder
	for _, in := range a.Inputs {
		path, err := folder.In(in.name, in.indexes...)
		switch {
		case err != nil:
		case in.uri == "":
			err = os.Mkdir(path, 0o700)
		default:
			err = s.artifacts.Stage(in.uri, path)
		}
		switch {
		case errors.Is(err, artifact.ErrElsewhere):
			return rejected(fmt.Sprintf("artifact %s lies on the disk of another agent; agents share artifacts in a folder that each of them names with --artifacts", in.name))
		case errors.Is(err, artifact.ErrGone):
			text := fmt.Sprintf("artifact %s is gone from this agent's disk: its retention is over, or somebody removed it", in.name)
			return refused(step.CauseInput, text, text)
		case err != nil:
			return lost(fmt.Sprintf("artifact %s could not be staged", in.name), err)
		}
	}
	return nil
}

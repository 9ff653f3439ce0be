package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/signalboxhq/signalbox/agent/link"
)

// sendValues sends all values of a run as one JSON document (value.Document).
func (a *Answerer) sendValues(ctx context.Context, out *stream, request link.DataRequest) error {
	workspace := a.workspace()
	if workspace == nil {
		return errors.New("open a run's values: the workspace's key is not settled yet")
	}
	values, err := a.plane.RunValues(ctx, request.Run, request.Grant)
	if err != nil {
		return err
	}
	document, err := workspace.Document(values)
	if err != nil {
		return err
	}
	text, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("write a run's values: %w", err)
	}
	return out.send(ctx, text, true)
}

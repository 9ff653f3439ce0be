package rundb

import (
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Ref is how somebody names a run: run_…, @latest, @failed (the newest that
// failed), or <pipeline>#<number>.
type Ref struct {
	text     string
	id       id.UUID
	latest   bool
	failed   bool
	pipeline string
	number   int64
}

// RefTo names a run by its id.
func RefTo(run id.UUID) Ref { return Ref{text: id.Format(id.Run, run), id: run} }

// ParseRef reads the name of a run. Errors: INVALID_ARGUMENT.
func ParseRef(text string) (Ref, error) {
	const most = 100 // of a pipeline's name and a number
	if len(text) > most {
		return Ref{}, fault.Invalid(ReasonInvalid, "this is too long for the name of a run: %d bytes", len(text))
	}
	switch text {
	case "@latest":
		return Ref{text: text, latest: true}, nil
	case "@failed":
		return Ref{text: text, failed: true}, nil
	}
	if pipeline, number, ok := strings.Cut(text, "#"); ok {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 || pipeline == "" {
			return Ref{}, fault.Invalid(ReasonInvalid, "%q names no run: want <pipeline>#<number>, as in fraud-train#12", text)
		}
		return Ref{text: text, pipeline: pipeline, number: n}, nil
	}
	run, err := id.Parse(id.Run, text)
	if err != nil {
		return Ref{}, fault.Invalid(ReasonInvalid, "%s; @latest, @failed and <pipeline>#<number> name runs too", err)
	}
	return Ref{text: text, id: run}, nil
}

// query is the statement that finds the run.
func (r Ref) query(by caller.Caller) (string, pgx.StrictNamedArgs) {
	args := pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID}
	switch {
	case r.latest:
		return sqlLatestRun, args
	case r.failed:
		return sqlLatestFailedRun, args
	case r.pipeline != "":
		args["pipeline"], args["number"] = r.pipeline, r.number
		return sqlRunByNumber, args
	}
	args["id"] = r.id
	return sqlRunByID, args
}

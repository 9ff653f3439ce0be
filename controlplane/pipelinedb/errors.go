package pipelinedb

import (
	"fmt"

	"github.com/signalboxhq/signalbox/internal/fault"
)

// The reasons of this package's faults.
const (
	ReasonInvalid     fault.Reason = "INVALID_ARGUMENT"
	ReasonPipeline    fault.Reason = "PIPELINE_INVALID"
	ReasonNotDeployed fault.Reason = "VERSION_NOT_DEPLOYED"
	ReasonQuota       fault.Reason = "QUOTA_EXCEEDED"
)

func errNoPipeline(name string) error { return fault.NotFound("pipeline", name) }

func errTooManyPipelines(most int) error {
	return fault.ResourceExhausted(ReasonQuota, "the workspace has %d pipelines, as many as it may", most)
}

func errNotDeployed(name string) error {
	return fault.FailedPrecondition(ReasonNotDeployed, "no version of pipeline %q is deployed", name)
}

// errNoPools refuses a version whose tasks nobody could ever take.
func errNoPools(missing []missingPool) error {
	refusal := fault.FailedPrecondition(ReasonPipeline, "the pipeline names %d pools that this workspace does not have", len(missing))
	if len(missing) == 1 {
		refusal = fault.FailedPrecondition(ReasonPipeline, "the pipeline names the pool %q, which this workspace does not have", missing[0].pool)
	}
	for _, m := range missing {
		refusal = refusal.With(fault.Violation{
			Path: "tasks." + m.task + ".pool", Want: "a pool of this workspace", Got: m.pool,
			Text: fmt.Sprintf("there is no pool %q; create it with `signalbox pool create %s`", m.pool, m.pool),
		})
	}
	return refusal
}

func errAmbiguous(name, prefix string) error {
	return fault.Invalid(ReasonInvalid, "several versions of pipeline %q begin with %s; give more digits", name, prefix)
}

func errDigest(text string) error {
	return fault.Invalid(ReasonInvalid, "%q names no version: want 8 to 64 lower-case hex digits", clip(text))
}

func clip(text string) string {
	const most = 80
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

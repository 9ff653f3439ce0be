package advance

import (
	"crypto/subtle"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

// rekeyed is a key that means another run from now on.
type rekeyed struct {
	startKey

	run         id.UUID
	fingerprint []byte
}

// known decides about a start whose key has started a run before: that run is
// the answer, or there is a conflict, or (nil, nil) a new run takes its place.
func (b *batch) known(r *request, c StartRun, key *startKeyRow) (*Started, error) {
	same := subtle.ConstantTimeCompare(key.fingerprint, c.Fingerprint[:]) == 1
	done, succeeded := b.standing(c.Org, key)
	before := id.Format(id.Run, key.run)
	switch {
	case !done && c.IfRunning == IfRunningFail:
		return nil, fault.AlreadyExists("RUN_EXISTS", "the key %q has a run that goes on: %s", c.Key, before)
	case !done && c.IfRunning == IfRunningCancel:
		b.wake(Wake{Org: c.Org, Kind: WakeCancel, Run: key.run, Pipeline: c.Pipeline, Reason: "superseded by run " + id.Format(id.Run, r.run)})
	case !done && c.IfRunning == IfRunningUse:
		return &Started{Run: key.run}, nil
	case done && c.IfDone == IfDoneReject:
		return nil, fault.AlreadyExists("RUN_EXISTS", "the key %q has had its run: %s", c.Key, before)
	case done && c.IfDone == IfDoneFailedOnly && succeeded:
		return nil, fault.AlreadyExists("RUN_EXISTS", "the key %q has had its run, which succeeded: %s", c.Key, before)
	case done && c.IfDone != "":
	case !same:
		return nil, fault.Conflict("IDEMPOTENCY_MISMATCH", "the idempotency key %q started another run of this pipeline, with other params, labels or version", c.Key)
	default:
		return &Started{Run: key.run}, nil
	}
	k := startKey{c.Org, c.Pipeline, c.Key}
	key.run, key.fingerprint, key.state = r.run, c.Fingerprint[:], nil
	b.rekey = append(b.rekey, rekeyed{k, r.run, c.Fingerprint[:]})
	return nil, nil
}

// standing reports how the run of a key stands. One of this very batch goes on.
func (b *batch) standing(org id.UUID, key *startKeyRow) (done, succeeded bool) {
	if w := b.runs[RunKey{org, key.run}]; w != nil && w.run != nil && w.failed == nil {
		return w.state.Run.Terminal(), w.state.Run == engine.RunSucceeded
	}
	if key.state == nil {
		return false, false
	}
	s, err := engine.ParseRunState(*key.state)
	return err == nil && s.Terminal(), s == engine.RunSucceeded
}

const sqlMoveStartKeys = `
	UPDATE start_key s
	SET run_id = u.run_id, fingerprint = u.fingerprint, expires_at = now() + interval '30 days'
	FROM unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[], @runs::uuid[], @fingerprints::bytea[])
		AS u (org_id, pipeline_id, key, run_id, fingerprint)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM start_key x
		WHERE x.org_id = u.org_id
			AND x.pipeline_id = u.pipeline_id
			AND x.key BETWEEN u.key AND u.key
		ORDER BY x.key
	) x
	WHERE s.ctid = x.at`

// writeRekeyed writes the keys that mean another run now: of several changes the
// last.
func (b *batch) writeRekeyed(q *writer) {
	if len(b.rekey) == 0 {
		return
	}
	last := map[startKey]rekeyed{}
	for _, k := range b.rekey {
		if w := b.runs[RunKey{k.org, k.run}]; w != nil && w.start != nil {
			last[k.startKey] = k
		}
	}
	var orgs, pipelines, runs []id.UUID
	var keys []string
	var prints [][]byte
	for _, k := range last {
		orgs, pipelines, runs = append(orgs, k.org), append(pipelines, k.pipeline), append(runs, k.run)
		keys, prints = append(keys, k.key), append(prints, k.fingerprint)
	}
	if len(keys) > 0 {
		q.exec(sqlMoveStartKeys, args{"orgs": orgs, "pipelines": pipelines, "keys": keys, "runs": runs, "fingerprints": prints})
	}
}

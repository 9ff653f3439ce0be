package runapi_test

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// training takes params of all sorts.
func training() *plan.Plan {
	return &plan.Plan{
		Name: "training", Labels: map[string]string{"team": "risk", "Stage": "prod"},
		Params: []plan.Param{
			{Name: "dataset", Type: plan.TypeString, Required: true},
			{Name: "lr", Type: plan.TypeFloat, Open: true, Default: json.RawMessage("0.1"), Min: json.RawMessage("0"), Max: json.RawMessage("1")},
			{Name: "mode", Type: plan.TypeString, Open: true, Default: json.RawMessage(`"fast"`), Enum: []string{"fast", "full"}},
		},
		Tasks: []plan.Task{{Name: "train", Reads: plan.Reads{Params: []string{"dataset", "lr"}}}},
	}
}

func TestStartKeepsWhatWasGiven(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(training())
	sealed := b.sealTo(b.key, "dataset", `"s3://lake"`)
	res, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{
		Pipeline: "training", Params: []*runv1.Value{sealed, open("lr", "5e-1")}, Labels: map[string]string{"team": "fraud", "run.kind": "try"}, Priority: 3,
	})
	require.NoError(t, err)
	require.True(t, res.GetCreated())
	run := res.GetRun()
	require.EqualValues(t, 1, run.GetNumber())
	require.Equal(t, "running", run.GetState())
	require.Equal(t, "user", run.GetCause())
	require.Equal(t, "Mara", run.GetActor())
	require.EqualValues(t, 3, run.GetPriority())
	require.Equal(t, map[string]string{"team": "fraud", "Stage": "prod", "run.kind": "try"}, run.GetLabels())

	var params runv1.Params
	require.NoError(t, proto.Unmarshal(queryOne[[]byte](b, `SELECT params FROM run`, nil), &params))
	require.Len(t, params.GetValues(), 2)
	require.Equal(t, sealed.GetSealed(), params.GetValues()[0].GetSealed())
	require.Equal(t, "string", params.GetValues()[0].GetType())
	require.Equal(t, "0.5", string(params.GetValues()[1].GetOpenJson()), "canonical")
	require.Equal(t, 3, queryOne[int](b, `SELECT count(*) FROM label_pair`, nil))

	values, err := b.h.GetRunValues(b.ctx(), &runv1.GetRunValuesRequest{Id: run.GetId()})
	require.NoError(t, err)
	require.Len(t, values.GetParams(), 3, "defaults too")
	require.Equal(t, `"fast"`, string(values.GetParams()[2].GetOpenJson()))
}

func TestLabelSetsAreInterned(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "plain", Tasks: []plan.Task{{Name: "a"}}})
	b.start("plain")
	changes := pgtest.Changes(t, b.db, func() { b.start("plain") })
	require.NotContains(t, changes, "label_set {")
	require.NotContains(t, changes, "label_pair")
	require.Equal(t, 1, queryOne[int](b, `SELECT count(DISTINCT label_set_id) FROM run`, nil))
}

func TestWrongParamsAreRefusedAllAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(training())
	other, err := seal.Generate(rand.Reader)
	require.NoError(t, err)
	good := b.sealTo(b.key, "dataset", `"x"`)
	typed := proto.CloneOf(good)
	typed.Type = "int"
	huge := &runv1.Value{Name: "dataset", Content: &runv1.Value_Sealed{Sealed: make([]byte, 70<<10)}}
	const param, unsealed = fault.Reason("PARAM_INVALID"), fault.Reason("PARAM_NOT_SEALED")

	for name, c := range map[string]struct {
		params []*runv1.Value
		reason fault.Reason
		wrong  map[string]string // path -> part of its text
	}{
		"missing":       {nil, param, map[string]string{"params.dataset": "required"}},
		"unknown":       {[]*runv1.Value{good, open("epochs", "1")}, param, map[string]string{"params.epochs": "it takes dataset, lr, mode"}},
		"twice":         {[]*runv1.Value{good, good}, param, map[string]string{"params.dataset": "given twice"}},
		"in the clear":  {[]*runv1.Value{open("dataset", `"canary-7"`)}, unsealed, map[string]string{"params.dataset": "`signalbox run start`"}},
		"sealed open":   {[]*runv1.Value{good, b.sealTo(b.key, "lr", "1")}, param, map[string]string{"params.lr": "not sealed"}},
		"foreign key":   {[]*runv1.Value{b.sealTo(other, "dataset", `"x"`)}, param, map[string]string{"params.dataset": b.key.KID().String()}},
		"no envelope":   {[]*runv1.Value{{Name: "dataset", Content: &runv1.Value_Sealed{Sealed: []byte("hello")}}}, param, map[string]string{"params.dataset": "not a sealed value"}},
		"too large":     {[]*runv1.Value{huge}, param, map[string]string{"params.dataset": "at most 65536 bytes"}},
		"no value":      {[]*runv1.Value{{Name: "dataset"}}, param, map[string]string{"params.dataset": "no value"}},
		"declared type": {[]*runv1.Value{typed}, param, map[string]string{"params.dataset": "declared as string, not as int"}},
		"type":          {[]*runv1.Value{good, open("lr", `"much"`)}, param, map[string]string{"params.lr": "want float"}},
		"range":         {[]*runv1.Value{good, open("lr", "1.5")}, param, map[string]string{"params.lr": "at most 1"}},
		"enum":          {[]*runv1.Value{good, open("mode", `"slow"`)}, param, map[string]string{"params.mode": "one of fast, full"}},
		"all": {
			[]*runv1.Value{open("dataset", `"canary-7"`), open("lr", "7"), open("x", "1")},
			unsealed,
			map[string]string{"params.dataset": "sealed", "params.lr": "at most", "params.x": "none of that name"},
		},
	} {
		changes := pgtest.Changes(t, b.db, func() {
			_, err = b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "training", Params: c.params})
		})
		require.Empty(t, changes, name)
		require.Equal(t, fault.KindInvalid, fault.KindOf(err), name)
		require.Equal(t, c.reason, fault.ReasonOf(err), name)
		refusal, _ := fault.As(err)
		require.Len(t, refusal.Violations, len(c.wrong), name)
		for _, v := range refusal.Violations {
			require.Contains(t, v.Text, c.wrong[v.Path], name)
			require.NotContains(t, v.Text+v.Got+refusal.Text, "canary", "a value that should be sealed is not repeated")
		}
	}
}

func TestParamsTogetherAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := &plan.Plan{Name: "wide", Tasks: []plan.Task{{Name: "a"}}}
	var values []*runv1.Value
	for i := range 5 {
		name := "p" + string(rune('a'+i))
		p.Params = append(p.Params, plan.Param{Name: name, Type: plan.TypeString, Open: true})
		values = append(values, open(name, `"`+strings.Repeat("x", 60<<10)+`"`))
	}
	b.deploy(p)
	_, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "wide", Params: values})
	require.ErrorContains(t, err, "262144 bytes")
	require.Equal(t, fault.Reason("PARAM_INVALID"), fault.ReasonOf(err))
	b.start("wide", values[:4]...)
}

func TestWithoutASealingKeyNothingCanBeSealed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(training())
	b.exec(`UPDATE workspace SET sealing_kid = NULL, sealing_public = NULL`, nil)
	_, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "training", Params: []*runv1.Value{b.sealTo(b.key, "dataset", `"x"`)}})
	require.ErrorContains(t, err, "signalbox pool join-token")
}

func TestLabelsHaveLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "plain", Labels: map[string]string{"own": "1"}, Tasks: []plan.Task{{Name: "a"}}})
	many := map[string]string{}
	for i := range 32 {
		many["k"+string(rune('a'+i%26))+string(rune('a'+i/26))] = "v"
	}
	for path, labels := range map[string]map[string]string{
		"labels.Team": {"Team": "x"},
		"labels.team": {"team": strings.Repeat("x", 129)},
		"labels.line": {"line": "a\nb"},
		"labels":      many,
	} {
		_, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "plain", Labels: labels})
		require.Equal(t, fault.Reason("INVALID_ARGUMENT"), fault.ReasonOf(err))
		refusal, _ := fault.As(err)
		require.Equal(t, path, refusal.Violations[0].Path)
	}
	delete(many, slices.Collect(maps.Keys(many))[0])
	_, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "plain", Labels: many})
	require.NoError(t, err)
}

func TestAKeyStartsOneRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(training())
	request := func() *runv1.StartRunRequest {
		return &runv1.StartRunRequest{
			Pipeline: "training", IdempotencyKey: "nightly-1", Params: []*runv1.Value{b.sealTo(b.key, "dataset", `"x"`), open("lr", "0.2")},
		}
	}
	const callers = 50
	type result struct {
		res *runv1.StartRunResponse
		err error
	}
	results := make(chan result, callers)
	for range callers {
		req := request()
		go func() {
			res, err := b.h.StartRun(b.ctx(), req)
			results <- result{res, err}
		}()
	}
	runs := map[string]bool{}
	created := 0
	for range callers {
		r := <-results
		require.NoError(t, r.err, "sealed anew each time, and the same start all the same")
		runs[r.res.GetRun().GetId()] = true
		if r.res.GetCreated() {
			created++
		}
	}
	require.Len(t, runs, 1)
	require.Equal(t, 1, created)

	b.exec(`UPDATE pipeline SET paused = true, deployed = NULL`, nil)
	b.exec(`UPDATE workspace SET sealing_kid = NULL, sealing_public = NULL`, nil)
	again, err := b.h.StartRun(b.ctx(), request())
	require.NoError(t, err, "whatever has changed since")
	require.False(t, again.GetCreated())
	require.True(t, runs[again.GetRun().GetId()])

	other := request()
	other.Params[1] = open("lr", "0.3")
	_, err = b.h.StartRun(b.ctx(), other)
	require.Equal(t, fault.Reason("IDEMPOTENCY_MISMATCH"), fault.ReasonOf(err))
}

func TestWhatCannotBeStarted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "bare", Tasks: []plan.Task{{Name: "a"}}})
	b.deploy(&plan.Plan{Name: "fine", Tasks: []plan.Task{{Name: "a"}}})
	b.exec(`UPDATE pipeline SET deployed = NULL WHERE name = 'bare'`, nil)
	digest := queryOne[string](b, `SELECT encode(v.digest, 'hex') FROM version v JOIN pipeline p ON p.id = v.pipeline_id WHERE p.name = 'bare'`, nil)
	restricted := b.by
	restricted.OrgState = authz.StateRestricted

	for name, c := range map[string]struct {
		by     caller.Caller
		req    *runv1.StartRunRequest
		reason fault.Reason
	}{
		"if running":   {b.by, &runv1.StartRunRequest{Pipeline: "fine", IdempotencyKey: "a", IfRunning: "wait"}, "INVALID_ARGUMENT"},
		"if done":      {b.by, &runv1.StartRunRequest{Pipeline: "fine", IdempotencyKey: "a", IfDone: "never"}, "INVALID_ARGUMENT"},
		"no key":       {b.by, &runv1.StartRunRequest{Pipeline: "fine", IfDone: "allow"}, "INVALID_ARGUMENT"},
		"too late":     {b.by, &runv1.StartRunRequest{Pipeline: "fine", StartAt: timestamppb.New(time.Now().AddDate(2, 0, 0))}, "INVALID_ARGUMENT"},
		"not deployed": {b.by, &runv1.StartRunRequest{Pipeline: "bare"}, "VERSION_NOT_DEPLOYED"},
		"missing":      {b.by, &runv1.StartRunRequest{Pipeline: "nobody"}, "NOT_FOUND"},
		"no version":   {b.by, &runv1.StartRunRequest{Pipeline: "fine", Version: strings.Repeat("0", 64)}, "NOT_FOUND"},
		"key":          {b.by, &runv1.StartRunRequest{Pipeline: "fine", IdempotencyKey: "a\nb"}, "INVALID_ARGUMENT"},
		"bill":         {restricted, &runv1.StartRunRequest{Pipeline: "fine"}, "PERMISSION_DENIED"},
	} {
		_, err := b.h.StartRun(caller.With(t.Context(), c.by), c.req)
		require.Equal(t, c.reason, fault.ReasonOf(err), name)
	}
	res, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "bare", Version: digest[:10]})
	require.NoError(t, err, "a version that is named need not be deployed")
	require.Equal(t, digest, res.GetRun().GetVersion())
}

func TestAKeyOfAServiceAccountIsNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "plain", Tasks: []plan.Task{{Name: "a"}}})
	c := b.by
	c.Kind, c.UserID, c.KeyID, c.KeyName = authz.KindServiceAccount, id.Nil, id.New(), "ci"
	b.exec(`INSERT INTO api_key (org_id, id, name, hash, last4, created_at, expires_at)
		VALUES (@org, @id, 'ci', sha256('x'), 'abcd', now(), now() + interval '1 day')`, pgx.NamedArgs{"org": c.OrgID, "id": c.KeyID})
	res, err := b.h.StartRun(caller.With(b.ctx(), c), &runv1.StartRunRequest{Pipeline: "plain"})
	require.NoError(t, err)
	require.Equal(t, "key", res.GetRun().GetCause())
	require.Equal(t, "ci", res.GetRun().GetActor())
}

func TestPrioritiesAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(training())
	for _, p := range []int32{-1001, 1001, 1 << 30} {
		_, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "training", Priority: p})
		require.Equal(t, fault.KindInvalid, fault.KindOf(err), "%d", p)
	}
}

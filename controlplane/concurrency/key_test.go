package concurrency_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/concurrency"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func open(name, json string) *runv1.Value {
	return &runv1.Value{Name: name, Content: &runv1.Value_OpenJson{OpenJson: []byte(json)}}
}

func TestKey(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Params: []plan.Param{
		{Name: "dataset", Type: plan.TypeString, Open: true, Default: []byte(`"latest"`)},
		{Name: "n", Type: plan.TypeInt, Open: true},
		{Name: "token", Type: plan.TypeString},
	}}
	key, err := concurrency.Key(p, nil)
	require.NoError(t, err)
	require.Nil(t, key)
	for text, want := range map[string]string{
		"": "", "pipeline": "pipeline", "${{ params.dataset }}": "latest", "x/${{ params.n + 1 }}": "x/4",
	} {
		p.Concurrency = &plan.Concurrency{Key: text, Limit: 1}
		key, err := concurrency.Key(p, []*runv1.Value{open("n", "3")})
		require.NoError(t, err)
		require.Equal(t, want, *key)
	}
	p.Concurrency.Key = "${{ params.dataset }}"
	_, err = concurrency.Key(p, []*runv1.Value{open("dataset", `"`+strings.Repeat("a", 300)+`"`)})
	require.ErrorContains(t, err, "at most 256 bytes, this is one of 300")
	p.Concurrency.Key = "${{ params.n }}"
	_, err = concurrency.Key(p, nil)
	require.ErrorContains(t, err, "there is no `params.n`")
}

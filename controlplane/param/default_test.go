package param_test

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/param"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestDefaultsFillInInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	declared := []plan.Param{
		{Name: "bucket", Type: plan.TypeString, SealedDefault: base64.RawURLEncoding.EncodeToString([]byte("envelope"))},
		{Name: "epochs", Type: plan.TypeInt, Default: json.RawMessage("10")},
		{Name: "lr", Type: plan.TypeFloat, Default: json.RawMessage("0.1")},
		{Name: "optional", Type: plan.TypeString},
	}
	given := []*runv1.Value{{Name: "lr", Type: "float", Content: &runv1.Value_OpenJson{OpenJson: []byte("0.5")}}}
	out, err := param.WithDefaults(declared, given)
	require.NoError(t, err)
	require.Len(t, out, 3)
	require.Equal(t, []byte("envelope"), out[0].GetSealed(), "a private default stays sealed")
	require.JSONEq(t, "10", string(out[1].GetOpenJson()))
	require.JSONEq(t, "0.5", string(out[2].GetOpenJson()), "what was given wins")

	declared[0].SealedDefault = "not base64!"
	_, err = param.WithDefaults(declared, nil)
	require.ErrorContains(t, err, "bucket")
}

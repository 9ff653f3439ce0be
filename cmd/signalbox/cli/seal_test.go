package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/seal"
)

func TestSealPrintsADefaultForThePipelineFile(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.input = "s3://private\n"
	r := d.run("seal", "dataset", "--type", "uri")
	require.Zero(t, r.code, r.err)
	envelope, err := seal.ParseText(strings.TrimSpace(r.out))
	require.NoError(t, err)
	value := &runv1.Value{Name: "dataset", Type: "uri", Content: &runv1.Value_Sealed{Sealed: envelope}}
	require.Equal(t, `"s3://private"`, opened(t, d, value))

	d.input = "many"
	r = d.run("seal", "epochs", "--type", "int")
	require.Equal(t, 2, r.code)
	require.Contains(t, r.err, `want int, got "many"`)
}

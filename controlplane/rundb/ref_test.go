package rundb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

func FuzzParseRef(f *testing.F) {
	for _, text := range []string{"@latest", "@failed", "train#12", "#", "train#", "train#-1", "train#99999999999999999999", id.Format(id.Run, id.New()), "run_", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := rundb.ParseRef(text)
		if err != nil {
			require.Equal(t, fault.KindInvalid, fault.KindOf(err))
		}
	})
}

func TestARunIsNamedByItsID(t *testing.T) {
	t.Parallel()
	run := id.New()
	ref, err := rundb.ParseRef(id.Format(id.Run, run))
	require.NoError(t, err)
	require.Equal(t, rundb.RefTo(run), ref)
}

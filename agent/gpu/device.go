package gpu

// Device is one GPU, or one instance of a partitioned one.
type Device struct {
	ID     string // what CUDA_VISIBLE_DEVICES takes: a UUID, else an index
	Type   string // as pipelines spell it: a100, of an instance a100-1g.5gb
	Name   string // the product's; empty if it is not known
	Memory int64  // MiB, 0 if it is not known
	Driver string // version, empty if it is not known
}

// Found is what an agent has to give.
type Found struct {
	Devices []Device
	Type    string // of all of them; empty if nobody said and none is known
	Remark  string // what the person who started the agent should know, or empty
}

// IDs are the names of the devices.
func (f Found) IDs() []string {
	ids := make([]string, len(f.Devices))
	for i, d := range f.Devices {
		ids[i] = d.ID
	}
	return ids
}

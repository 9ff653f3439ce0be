// Package gpu finds the GPUs of a machine and hands them out.
//
//	nvidia-smi ─▶ parse ─▶ pick (one type, so many) ─▶ Stock ─▶ Environ of an attempt
//
// A device is named by its UUID, which survives a restart of the machine and a
// card that falls out; an index does neither, and stands in only where somebody
// says how many there are and nvidia-smi is not there to ask. An instance of a
// partitioned card (MIG) is a device like any other.
//
// The package reserves nothing with the driver: that two attempts never see the
// same device is this agent's doing, and holds for what heeds the environment.
package gpu

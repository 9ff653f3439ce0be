// Package value is where a customer's values are in the clear: it opens what a
// task reads, renders the environment of a step, and seals what a step leaves,
// all for one workspace.
//
// The private sealing keys live in one file of the agent's folder (Keyring). The
// first agent of a workspace makes the key; the others import it. An agent
// without the key still seals, since that takes the public half only, and works
// on whatever needs nothing opened.
//
// Its errors come in two parts, as a step's do: a reason that the control plane
// may see, and a detail that may repeat values and must be sealed.
package value

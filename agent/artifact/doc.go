// Package artifact keeps the large results of steps on a disk of the customer's
// and hands them to the steps that read them.
//
//	<dir>/<run>/<task>/<attempt>/<name>      a file or a folder, never changed again
//
// An artifact is told to the control plane as a URI, a digest and a size; its
// bytes never leave. agent://<agent>/<run>/<task>/<attempt>/<name> lies on the
// disk of that agent, file:///<path> in a folder that all agents of the pool
// share. (Buckets come with their own package and URIs.)
//
// An attempt's artifacts lie under its own number, so the late results of an
// attempt that was given up never overwrite its successor's.
package artifact

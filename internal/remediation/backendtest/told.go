package backendtest

import (
	"shieldwall/internal/remediation"
	"shieldwall/internal/wire"
)

// Told fills a batch with what a Local API might tell, and returns it.
func Told(batch *remediation.Batch, stream wire.DecisionsStream) *remediation.Batch {
	Show(batch, stream)
	return batch
}

// Show shows a visitor what a Local API might tell.
func Show(visitor wire.StreamVisitor, stream wire.DecisionsStream) {
	for i := range stream.Deleted {
		visitor.Cease(&stream.Deleted[i])
	}
	for i := range stream.New {
		visitor.Begin(&stream.New[i])
	}
}

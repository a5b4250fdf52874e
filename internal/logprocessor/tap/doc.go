// Package tap shows people what a running log processor does with each line, while it does it.
//
// It owns the socket in the data folder, the request and the objects that go over it, and both ends: Tap is told by the
// pipeline, View is what a viewer reads. It promises that looking changes nothing: a filter is asked of a copy of the
// event, with helpers that reach neither network nor memory of the rules; a viewer that does not keep up misses events and is told how
// many; nothing waits for it. It refuses more viewers than it has places, and requests that it cannot bound.
//
// The socket is for its owner and root. A viewer sends one line, a Request; the answer is one line, {} or
// {"error": "..."}; then comes one line for each Event, in about the order in which they happen, until either side
// closes.
package tap

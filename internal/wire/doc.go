// Package wire holds the Local API v1 as it is seen from outside: the JSON documents exactly as on the
// network, and their conversion to and from domain.
//
// Field names are an outside surface three times over: the JSON names are what clients read, the Go names
// are what expressions in profiles, postoverflows and notification templates write (Alert.Source.Cn), and
// the lower-cased Go names are the keys of the dump files. They must not be renamed.
package wire

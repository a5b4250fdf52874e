// Package config reads config.yaml and the credential files in their published format.
//
// It decodes, fills defaults and validates once, and hands on plain values. Only the compositions (app and
// cscli) import it: the parts of the system are given what they need. It refuses unknown keys, and opens
// nothing but the files that the configuration consists of.
package config

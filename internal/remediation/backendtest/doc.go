// Package backendtest is the contract of remediation.Backend as tests.
//
// Contents holds for every backend; Firewall holds for those that stop packets, and tries them with packets:
// two network namespaces of its own, joined by a pair of virtual cables, one with the backend in it. It needs
// root, and leaves no trace outside its namespaces.
package backendtest

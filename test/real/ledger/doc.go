// Package ledger is how the tests of package real know what became of every
// request: endpoints write down what they execute, clients what they get, and
// Audit holds the one against the other. Tests only.
package ledger

// Package shape decides by expressions, and changes by steps, what passes: CEL
// compiled against the variables of an exchange, and lists of steps that set
// fields, change JSON in its place, rewrite, answer, redirect and route.
//
// # Layers
//
//   - [Compiler] knows the variables and functions. It makes an [Expression] of
//     a text, and a [Program] of two lists of [Step]s, or says what is wrong
//     with them and where.
//   - A [View] is what one exchange shows to expressions. It reads where the
//     exchange lies, and copies only what an expression asks for.
//   - An action is what one key of a step does; each has a file of its own.
//   - An edit (document.go, edit.go, merge.go) changes one place of a JSON text
//     and no other byte.
//
// # Lifetimes
//
// What expressions see are copies: strings that outlive every buffer. What steps
// write into a head is appended to the exchange's Scratch, allocated apart when
// it is large, or belongs to the Program when it is constant; all of them live as
// long as the exchange. A View belongs to the goroutine that borrowed it, and to
// one exchange until it is released.
//
// # Bounds
//
// Every evaluation has a bound: one that can only be linear in its input, by the
// functions it uses, runs as it is; all others are counted by cost, and end at
// the limit. A value of a field is at most 64 KiB, content at most
// Options.MaxContent, decoded or not.
package shape

// Package attack attacks the router from where workers dial in: its door, and the
// connections that they have attached. What is attacked is the real proxy, in this
// process, over loopback sockets; the attacker is made of raw sockets and frames by
// hand.
//
// An attack is made in a siege: honest workers serve beside the attacker, and
// clients ask all the time, who read strictly what they are answered. When it is
// lifted, every request of the clients must have been answered by an honest worker,
// the heap must have stayed small, and no goroutine and no descriptor may be left.
//
//	siege_test.go    the router, the honest workers, what must hold in the end
//	villain_test.go  the attacker's side of a connection
//	client_test.go   a client that takes nothing for well-formed that is not
package attack

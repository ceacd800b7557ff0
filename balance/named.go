package balance

// Named returns the policy of that name, as configurations have it: round_robin,
// random, first, least_load, hash or maglev. It is false for any other name.
func Named(name string) (p Policy, ok bool) {
	switch name {
	case "round_robin":
		return NewRoundRobin, true
	case "random":
		return NewRandom, true
	case "first":
		return NewFirst, true
	case "least_load":
		return NewLeastLoad, true
	case "hash":
		return NewHash, true
	case "maglev":
		return NewMaglev, true
	}
	return nil, false
}

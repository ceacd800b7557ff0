package config

// tries checks what says when a request goes to one more endpoint.
func (c *checker) tries(s Service, path string) {
	usable, on := joinKey(path, "usable"), joinKey(joinKey(path, "retry"), "on")
	if s.Usable != nil && len(s.Usable) == 0 {
		c.add(usable, "an empty list leaves no answer to take; leave it out to take 1xx, 2xx, 3xx and 4xx")
	}
	if s.Usable.Expression() == "" {
		c.usable(s.Usable, usable)
	}
	c.statuses(s.Retry.On, failureNames, on)
	if message := s.Hedge.After.wrong(); message != "" {
		c.add(joinKey(joinKey(path, "hedge"), "after"), "%s", message)
	}
}

// usable checks a list of classes and codes. What is no such thing may be one
// of several expressions.
func (c *checker) usable(list Usable, path string) {
	for i, text := range list {
		switch message := badStatus(text, nil); {
		case message == "":
		case Usable{text}.Expression() != "":
			c.add(joinIndex(path, i), "an expression stands alone, as in usable: 'response.status < 500'")
		default:
			c.add(joinIndex(path, i), "%s", message)
		}
	}
}

// statuses checks a list of classes and codes, and of names if it may have them.
func (c *checker) statuses(list, names []string, path string) {
	for i, text := range list {
		if message := badStatus(text, names); message != "" {
			c.add(joinIndex(path, i), "%s", message)
		}
	}
}

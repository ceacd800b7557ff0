package config

// placing checks what says which endpoint a request belongs to.
func (c *checker) placing(s Service, path string) {
	c.selector(s.HashOn, joinKey(path, "hash_on"))
	if s.Sticky != nil && s.Sticky.Cookie != "" && !isToken(s.Sticky.Cookie) {
		c.add(joinKey(joinKey(path, "sticky"), "cookie"), "%s is not the name of a cookie; it has letters, digits and a few signs such as - and _", quote(s.Sticky.Cookie))
	}
}

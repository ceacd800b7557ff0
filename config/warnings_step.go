package config

// stepWarnings tells of steps of the route at path that are never done, or do
// nothing.
func (c *checker) stepWarnings(r Route, path string, o *origin) {
	c.unreached(r.Request, joinKey(path, "request"))
	onError := joinKey(path, "on_error")
	if len(r.Request)+len(r.Response) == 0 && (o.has(onError) || r.OnError == "fail") {
		c.add(onError, "has no effect: the route has no steps")
	}
}

// unreached tells of request steps behind one that answers every request.
func (c *checker) unreached(list []Step, path string) {
	for i, s := range list {
		below := joinIndex(path, i)
		if isConstant(s.If) {
			c.add(joinKey(below, "if"), "is the same for every request")
		}
		c.unreached(s.Then, joinKey(below, "then"))
		c.unreached(s.Else, joinKey(below, "else"))
		if s.answers() && i+1 < len(list) {
			c.add(joinIndex(path, i+1), "is never done: the step before it answers every request")
			return
		}
	}
}

// answers tells whether a request step leaves nothing to those behind it.
func (s Step) answers() bool {
	return s.If == "" && (s.Respond != nil || s.Redirect != nil)
}

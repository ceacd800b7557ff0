package shape

// A Step is one step as it was written. Texts are CEL expressions, unless it is
// said otherwise. It does what its fields say, in their order here.
type Step struct {
	// If: the rest of the step is done if this holds; else only Else is.
	If string
	// Let names values for later expressions.
	Let []Named
	// Set replaces all lines of a field, Add adds a line, Append adds to the
	// list in the last line.
	Set, Add, Append []Named
	// Remove removes fields by their names.
	Remove []string
	// If nil, each of these does nothing.
	JSON     *JSON
	Rewrite  *Rewrite
	Respond  *Respond
	Redirect *Redirect
	// Route sends the request to the service that it names, as name or
	// name@version.
	Route string
	// Then and Else are done as If holds or not.
	Then, Else []Step
	// Errors: the step is also for responses that Weir itself makes.
	Errors bool
}

// A Named is an expression with a name: that of a field, a let or a path.
type Named struct{ Name, Expr string }

// JSON changes JSON content in place. Names are paths, such as a.b or list.0.
type JSON struct {
	Set, Merge []Named
	Remove     []string
}

// Rewrite changes the request. Those that are empty change nothing.
type Rewrite struct{ Path, Query, Host, Method string }

// Respond answers, or replaces the response.
type Respond struct {
	// Status is 200 if empty.
	Status, Body string
	// ContentType is text/plain, or application/json for a map or a list, if
	// empty.
	ContentType string
	Headers     []Named
}

// Redirect answers with a redirect. Status is 302 if empty.
type Redirect struct{ To, Status string }

package config

// Step is one step of what is done to a request on its way to an endpoint, or
// to a response on its way back. Its actions are done in the order of its keys
// here, whatever the order in the file.
type Step struct {
	// The step is done only if this holds.
	If Expression `yaml:"if"`
	// For response steps, the outermost: done to Weir's own error responses, too.
	Errors bool `yaml:"errors" default:"false"`
	// Names for what is computed once, for the expressions behind it; those of request steps are there for response steps, too.
	Let Expressions `yaml:"let"`
	// Replaces all fields of these names by one.
	Set Expressions `yaml:"set"`
	// Adds one more field of each name.
	Add Expressions `yaml:"add"`
	// Adds to the list in the last field of each name, behind a comma; where there is none, adds the field.
	Append Expressions `yaml:"append"`
	// Takes all fields of these names away.
	Remove []string `yaml:"remove" scalar:"true"`
	// Changes the content where it is a JSON object; every byte elsewhere in it stays as it was.
	JSON *JSONChange `yaml:"json"`
	// For request steps: what the endpoint is asked for.
	Rewrite *Rewrite `yaml:"rewrite"`
	// Answers at once, without an endpoint; in response steps, replaces the response.
	Respond *Respond `yaml:"respond"`
	// For request steps: answers with a redirection.
	Redirect *Redirect `yaml:"redirect"`
	// For request steps: the service that gets the request in place of the route's, `name` or `name@version`.
	Route Expression `yaml:"route"`
	// [Steps](#steps) that are done if `if` holds, behind the actions of this one.
	Then []Step `yaml:"then"`
	// [Steps](#steps) that are done if `if` does not hold.
	Else []Step `yaml:"else"`
}

// JSONChange is what is changed in a JSON object. Members are named by their path:
// `a.b.0` is the first element of the list b in a.
type JSONChange struct {
	// Members to set, by path; those that are not there are added.
	Set Expressions `yaml:"set"`
	// Maps to merge into members, by path.
	Merge Expressions `yaml:"merge"`
	// Paths of members to take away.
	Remove []string `yaml:"remove" scalar:"true"`
}

// Rewrite is what of a request is changed before it goes on. What is left out
// stays as it is.
type Rewrite struct {
	// The path, percent-encoded, with a slash in front.
	Path Expression `yaml:"path"`
	// The query, without its question mark; empty for none.
	Query Expression `yaml:"query"`
	// The Host field, whatever `services.*.host` says.
	Host Expression `yaml:"host"`
	// The method.
	Method Expression `yaml:"method"`
}

// Respond is a response that Weir makes.
type Respond struct {
	// The status code, from 200 to 599. Left out: 200; in response steps, that of the response.
	Status Expression `yaml:"status"`
	// The content. Left out: none.
	Body Expression `yaml:"body"`
	// The Content-Type field. Left out: `text/plain; charset=utf-8`, if there is content.
	ContentType Expression `yaml:"content_type"`
	// Further fields.
	Headers Expressions `yaml:"headers"`
}

// Redirect is a redirection of the client.
type Redirect struct {
	// The Location field.
	To Expression `yaml:"to" required:"the client is led nowhere"`
	// The status code: 301, 302, 303, 307 or 308.
	Status Expression `yaml:"status" default:"302"`
}

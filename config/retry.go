package config

// Retry is how a request is tried again. What failed before any byte of the
// request was sent is tried elsewhere in any case, and counts against nothing
// here.
type Retry struct {
	// How often a request may be sent, in all.
	Attempts int `yaml:"attempts" default:"3" min:"1" max:"100"`
	// After what strategy `single` tries again: `connect`, `reset`, `timeout`, or [classes and codes](#status-codes). An empty list: after nothing.
	On []string `yaml:"on" default:"connect,reset,timeout,502,503,504"`
	// The most that one try may take to the head of its response.
	PerTry Duration `yaml:"per_try" default:"0s" zero:"no bound of its own"`
	// Retries in proportion to the service's requests.
	Budget Percent `yaml:"budget" default:"20%" max:"1000%" zero:"none beyond the floor"`
	// Retries a second that are allowed whatever the budget says; and as many that `hedge` sends, whatever its budget says.
	BudgetFloor int `yaml:"budget_floor" default:"10" max:"1000000" zero:"none beyond the budget"`
	// How much of a request's body is kept for the next try.
	Buffer Size `yaml:"buffer" default:"64KiB" max:"1GiB" zero:"nothing is kept"`
	// What becomes of a body larger than the buffer: `single` gives its request one try, `reject` answers 413.
	OverBuffer string `yaml:"over_buffer" default:"single" enum:"single,reject"`
	// Take a request with an Idempotency-Key field for idempotent, whatever its method.
	IdempotencyKey bool `yaml:"idempotency_key" default:"false"`
}

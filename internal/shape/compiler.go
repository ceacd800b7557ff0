package shape

import (
	"os"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
)

// Options are what expressions are compiled with. The zero value is useful.
type Options struct {
	// Hostname is what `hostname` reads as. If empty, the machine's name.
	Hostname string
	// Now tells the time. If nil, time.Now.
	Now func() time.Time
	// MaxContent bounds, in bytes, the content that is read for a step, as it
	// came and decoded, and the content that a step makes. If 0, 1 MiB.
	MaxContent int
	// CostLimit bounds one evaluation, in CEL's units: about one for each
	// operation, and for each ten bytes that one goes through. If 0, 250000.
	CostLimit uint64
}

const (
	usualMaxContent = 1 << 20
	usualCostLimit  = 250_000
	maxExpression   = 16 << 10 // of an expression's text, in characters
	maxValue        = 64 << 10 // of a field's value, in bytes
	maxRegex        = 10_000   // instructions of a regular expression
)

// A Compiler makes expressions and programs. It is safe for concurrent use.
type Compiler struct {
	envs       [sides]*cel.Env
	hostname   ref.Val
	now        func() time.Time
	maxContent int
	costLimit  uint64
	codecs     codecs
	format     functions.FunctionOp // text.format(list)
}

// New returns a Compiler. It is made once for a configuration.
func New(o Options) (*Compiler, error) {
	if o.Hostname == "" {
		o.Hostname, _ = os.Hostname() // without one it reads as empty
	}
	c := &Compiler{hostname: types.String(o.Hostname), now: o.Now, maxContent: o.MaxContent, costLimit: o.CostLimit}
	if c.now == nil {
		c.now = time.Now
	}
	if c.maxContent == 0 {
		c.maxContent = usualMaxContent
	}
	if c.costLimit == 0 {
		c.costLimit = usualCostLimit
	}
	c.codecs.limit = c.maxContent
	return c, c.prepare()
}

// prepare makes the environments: what a request's expressions know, and what
// a response's know beside it.
func (c *Compiler) prepare() error {
	p, err := newProvider()
	if err != nil {
		return err
	}
	env, err := cel.NewEnv(
		cel.CustomTypeProvider(p),
		cel.CustomTypeAdapter(p),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(100),
		cel.RegexProgramSizeLimit(maxRegex),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		ext.Strings(ext.StringsVersion(5)),
		// Later versions add a json.encode that costs without limit, and differs
		// in white space from one binary to the next.
		ext.Encoders(ext.EncodersVersion(0)),
		ownFunctions(),
		cel.Variable("request", requestRecord.typ),
		cel.Variable("captures", texts),
		cel.Variable("service", cel.StringType),
		cel.Variable("version", cel.StringType),
		cel.Variable("listener", listenerRecord.typ),
		cel.Variable("hostname", cel.StringType),
		cel.Variable("now", cel.TimestampType),
	)
	if err != nil {
		return err
	}
	c.envs[RequestSide] = env
	overloads, err := env.Functions()["format"].Bindings()
	if err != nil {
		return err
	}
	c.format = overloads[0].Function
	c.envs[ResponseSide], err = env.Extend(
		cel.Variable("response", responseRecord.typ),
		cel.Variable("endpoint", endpointRecord.typ),
	)
	return err
}

// variables are the names that no let may take.
var variables = []string{"request", "response", "endpoint", "service", "version", "captures", "listener", "hostname", "now"}

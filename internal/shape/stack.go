package shape

// A View has a stack of texts, on which those are put together that need no value of
// CEL: what is pushed lies behind what was there, and is taken off by who began.

func (v *View) push(b []byte) { v.stack = append(v.stack, b...) }

func (v *View) pushString(s string) { v.stack = append(v.stack, s...) }

// pop takes off what lies above at. It is there until the next push.
func (v *View) pop(at int) []byte {
	text := v.stack[at:]
	v.stack = v.stack[:at]
	return text
}

package observe

import (
	"io"
	"runtime"
	"syscall"
	"testing"
)

// BenchmarkObserve reports the processor's time too, the writer's included,
// because on a machine with other work the wall clock says little.
func BenchmarkObserve(b *testing.B) {
	for _, format := range []Format{FormatJSON, FormatText, FormatOff} {
		b.Run("log="+string(format), func(b *testing.B) {
			o := newObserver(b, Options{Log: LogOptions{Format: format, Writer: io.Discard}})
			o.Service("web").Retain([]string{"http://10.0.0.20:8000"})
			b.ReportAllocs()
			b.ResetTimer()
			start := processorTime(b)
			b.RunParallel(func(pb *testing.PB) {
				x := newExchange()
				for n := 0; pb.Next(); n++ {
					o.Observe(x)
					if n%256 == 0 {
						runtime.Gosched() // no proxy does nothing else: the writer gets its turn
					}
				}
			})
			b.ReportMetric(float64(processorTime(b)-start)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(o.dropped.Load())/float64(b.N), "dropped/op")
		})
	}
}

// processorTime returns the nanoseconds that the process computed so far.
func processorTime(b *testing.B) int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

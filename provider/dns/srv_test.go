package dns

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

const srv = "SRV _http._tcp.web.example."

var srvOptions = Options{Name: "_http._tcp.web.example", SRV: true}

func TestSRV_HasPortsAndWeights(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says(srv, "20 10 3 8001 a.example.", "20 10 0 8002 b.example.", "20 10 5 8001 c.example.", "20 10 9 0 d.example.")
		z.says("A a.example.", "20 10.0.0.1")
		z.says("A b.example.", "20 10.0.0.2")
		z.says("A c.example.", "20 10.0.0.1") // as a.example: one endpoint with the weights of both
		listen(t, z, srvOptions).wants(t, "at first", "10.0.0.1:8001*8 10.0.0.2:8002")
	})
}

func TestSRV_SharesTheWeightOfATargetAmongItsAddresses(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says(srv, "20 10 1 80 a.example.", "20 10 1 80 b.example.")
		z.says("A a.example.", "20 10.0.0.1")
		z.says("A b.example.", "20 10.0.0.2")
		z.says("AAAA b.example.", "20 2001:db8::2")
		listen(t, z, srvOptions).wants(t, "at first", "10.0.0.1*1000 10.0.0.2*500 [2001:db8::2]*500")
		o := srvOptions
		o.Type = "a"
		listen(t, z, o).wants(t, "with A alone", "10.0.0.1 10.0.0.2")
	})
}

func TestSRV_UsesTheLowestPriorityThatHasAddresses(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says(srv, "5 20 1 80 b.example.", "5 10 1 80 a.example.", "5 30 1 80 c.example.")
		z.says("A a.example.", "5 10.0.0.3")
		z.says("A b.example.", "5 10.0.0.2")
		z.says("A c.example.", "5 10.0.0.1")
		a := listen(t, z, srvOptions)
		o := srvOptions
		o.AllPriorities = true
		listen(t, z, o).wants(t, "of all priorities", "10.0.0.3 10.0.0.2 10.0.0.1")
		a.wants(t, "at first", "10.0.0.3")
		z.fails("A a.example.")
		time.Sleep(time.Minute)
		a.wants(t, "when the target of the lowest is ailing")
		z.says("A a.example.")
		time.Sleep(10 * time.Second)
		a.wants(t, "when it has no address", "10.0.0.2")
		z.says(srv, "5 0 1 80 .")
		time.Sleep(time.Minute)
		a.wants(t, "when the service is not offered", "error: there are no such records", "")
	})
}

func TestSRV_UsesAddressesThatComeAlongUntilTheyExpire(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says(srv, "60 10 1 80 a.example.", "+a.example. 10 10.0.0.1", "+other.example. 1 10.0.0.9")
		z.says("A a.example.", "60 10.0.0.2")
		z.says("AAAA a.example.", "60")
		a := listen(t, z, srvOptions)
		a.wants(t, "at first", "10.0.0.1")
		if n := z.count("A a.example."); n != 0 {
			t.Errorf("the address that came along was asked for %d times", n)
		}
		time.Sleep(12 * time.Second)
		a.wants(t, "when it has expired", "10.0.0.2")
		if n := z.count(srv); n != 1 {
			t.Errorf("SRV was asked for %d times within its TTL, want once", n)
		}
	})
}

func TestSRV_KeepsTheTargetThatCannotBeAskedFor(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		var log bytes.Buffer
		o := srvOptions
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		z.says(srv, "5 10 1 80 a.example.", "5 10 1 80 b.example.")
		z.says("A a.example.", "5 10.0.0.1")
		z.says("A b.example.", "5 10.0.0.2")
		a := listen(t, z, o)
		a.wants(t, "at first", "10.0.0.1 10.0.0.2")
		z.fails("A b.example.")
		z.fails("A c.example.")
		z.says(srv, "5 10 1 80 a.example.", "5 10 1 81 b.example.", "5 10 1 80 c.example.")
		time.Sleep(time.Minute)
		a.wants(t, "when targets are ailing", "10.0.0.1 10.0.0.2:81")
		z.fails(srv)
		z.fails("A a.example.")
		time.Sleep(time.Minute)
		a.wants(t, "when everything is", "error: SRV of _http._tcp.web.example.: SERVFAIL")
		z.says("A c.example.", "5 10.0.0.3")
		z.says(srv, "5 10 1 80 b.example.", "5 10 1 80 c.example.")
		time.Sleep(10 * time.Second)
		a.wants(t, "when part of it is back", "10.0.0.2 10.0.0.3")
		if n := strings.Count(log.String(), "A of b.example.: SERVFAIL; its last answer counts"); n != 1 {
			t.Errorf("the log has the ailing target %d times, want once:\n%s", n, &log)
		}
	})
}

func TestSRV_BoundsEndpoints(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		var records, addresses []string
		for i := range 200 {
			records = append(records, fmt.Sprintf("60 10 1 %d a.example.", 1000+i))
			addresses = append(addresses, fmt.Sprintf("60 10.0.0.%d", i+1))
		}
		z.says(srv, records...)
		z.says("A a.example.", addresses...)
		got := listen(t, z, srvOptions).heard()
		if n := len(strings.Fields(got[0])); n != MaxEndpoints {
			t.Errorf("of 40,000 endpoints %d are told, want %d", n, MaxEndpoints)
		}
	})
}

func TestEndpoints_LeaveOutWhatIsNoHost(t *testing.T) {
	virtually(t, func(t *testing.T, z *zone) {
		z.says("A web.example.", "60 0.0.0.0", "60 224.0.0.1", "60 255.255.255.255", "60 10.0.0.1")
		z.says("AAAA web.example.", "60 ::", "60 ff02::1")
		a := listen(t, z, Options{Name: "web.example", Scheme: "https"})
		a.wants(t, "at first", "https://10.0.0.1")
	})
}

func TestWeights_AreScaledIntoTheirBounds(t *testing.T) {
	var places []place
	for _, w := range []float64{65535, 6553.5, 1} {
		places = append(places, place{weight: w})
	}
	if got := fmt.Sprint(weights(places)); got != "[1000 100 1]" {
		t.Errorf("weights are %s", got)
	}
	if list := (Options{}).endpoints(nil); len(list) != 0 {
		t.Errorf("no places make %v", list)
	}
}

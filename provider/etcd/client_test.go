package etcd

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestExplain_SaysTheReasonAlone(t *testing.T) {
	if err := explain(nil); err != nil {
		t.Errorf("no error is explained as %v", err)
	}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{status.Error(codes.Unavailable, `connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`), "dial tcp 127.0.0.1:1: connect: connection refused"},
		{status.Error(codes.Unavailable, `last connection error: connection error: desc = "error reading server preface: read tcp [::1]:555->[::1]:2: reset"`), "error reading server preface: read tcp [::1]:2: reset"},
		{status.Error(codes.Unavailable, `connection error: desc = "transport: authentication handshake failed: tls: \"a\" is not \"b\""`), `authentication handshake failed: tls: "a" is not "b"`},
		{status.Error(codes.PermissionDenied, "etcdserver: permission denied"), "etcdserver: permission denied"},
		{status.Error(codes.DeadlineExceeded, "context deadline exceeded"), "no answer within 5s"},
		{fmt.Errorf("get: %w", context.DeadlineExceeded), "no answer within 5s"},
		{errors.New("the watch has ended"), "the watch has ended"},
	} {
		if got := explain(tc.err); got.Error() != tc.want {
			t.Errorf("%v is explained as %q, want %q", tc.err, got, tc.want)
		}
	}
}

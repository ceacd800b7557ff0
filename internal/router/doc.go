/*
Package router finds, in an immutable table of routes, the one that takes a
request: the most specific by host, then path, then methods, then headers, then
guards. It
is generic over what a route yields, and knows neither services nor protocols.

# The order of precedence

Host: its exact name; then wildcards, the longest first; then any host.
"*.example.com" stands for one or more labels (as in nginx and Envoy), and not
for example.com itself. Hosts are compared without regard to ASCII case, port,
and one final dot.

Path: segment by segment, a literal before a {capture} before "*".

  - A literal is compared as octets: "%61" and "a" are the same, in patterns and
    in requests; upper and lower case are not. "%2F" is an octet of its segment,
    never a separator.
  - A {capture} stands for one segment that is not empty.
  - "*" stands for all that follows, be it nothing: "/api/*" matches "/api",
    "/api/" and "/api/x/y", and not "/apis". "/*" matches everything.
  - A pattern without "*" matches its own length only: "/api" does not match
    "/api/", and "/api/" does not match "/api". "/a//b" has three segments.

Methods: a route that names the method before one that takes all. GET admits
HEAD, behind a route that names HEAD.

Headers: more conditions before fewer; of equally many, those of other content
stay in the order in which they are written.

Guards: a route that has one before a route that has none; of those that have
one, in the order in which they are written. The table does not ask a guard. The
caller does, when Match or Next has found its route, and calls Next if it does
not hold: so a guard costs only the requests that it could decide on, and its
language is none of the table's business.

What does not match is no end: the search goes on to what is less specific, in
path and then in host. So a route for a host with nothing for this path gives
way to a wildcard; and a path that is there for POST only, with "/*" for all
methods behind it, sends GET to the latter. Only if nothing takes the request is
it MethodNotAllowed, if another method would have been taken, else NoRoute.

Two routes equal in all that are refused when the table is built. That includes
captures of different names ("/{a}" and "/{b}"), and sets of methods of which
one is in both. Routes with guards of different text are told apart by them. [GET] and [HEAD] are not ambiguous.

# The algorithm

A map leads from the host to a tree. A node of it stands for a beginning of
paths; it has a map of literal children, at most one child for a capture, and
the rules of the patterns that end there, with and without "*". The tree of a
host is linked to that of the next less specific host, which is known when the
table is built.

The naive way down takes, at each node, the best child and stays with it:

	/a/b/z
	/a/{x}/c
	/*

For /a/b/c it goes to "a", there to "b" and finds no "c". Having passed the
capture by, it answers 404, or, if it remembers the last "*" that it saw as some
do, takes the third route. The second is right. So a node that leads nowhere
must be left again, for its parent's capture, then its parent's "*". That is a
depth-first walk, in which every leaf that matches is met in the order of
precedence, so the first one whose methods and headers fit is the answer. What
is left to do above a node follows from the node itself (a literal child was
left: the capture is next; the capture was left: "*" is), so a cursor is one
pointer, and can be resumed for the next candidate (Match.Next).

Going back invites the question of its bound. A node can be entered only from
its one parent, so it is entered at most once in a walk: no path, of whatever
length, makes a walk enter more nodes than there are, and it ends at the depth of
the longest pattern. At depth d there are at most 2^d nodes that match (each of
the d segments by a literal or by a capture), but to have them the routes must
spell out every mixture, one by one: 2^d routes. Without such a family, which no
one writes by accident, a handful of nodes is entered whatever the number of
routes, for children are found by hash. A walk over one such family of 4096
routes is in the tests, as is a count of the nodes entered.

One could do without going back by copying, when the table is built, what is
below a capture to all its literal siblings. The walk is then one straight line.
But n routes /name/… beside m routes /{x}/… become n times m nodes: 5000 and
5000 make 25 million.

Routes that share host and path and differ in methods or headers are tried one
after the other: their cost grows with their number.

# The matcher and the forwarder

A proxy that matches something else than what the endpoint will resolve is a
hole: "/admin/*" is guarded, and /%61dmin or /x/../admin goes around it. The path
is matched as it will be forwarded, and it is forwarded as it came. So there
remain two things that an endpoint will read in another way than byte for byte.

Percent-encoding: every HTTP server decodes it, so segments are compared
decoded, all octets and not only the unreserved ones of RFC 3986, section
6.2.2.2: "/%40admin" is no way around "/@admin". A path is first cut at its
slashes, then decoded, once. Comparing exact bytes would be simpler, and is the
hole.

Dot segments: CheckPath refuses them, with those in disguise; Normalize removes
them, and then its result is both what is matched and what is forwarded.

What remains as it is, because endpoints do not agree on it: "//admin" and
"/admin;v=1" are not "/admin". A route that guards an endpoint which merges
slashes, or which has path parameters, is the catch-all with the public paths
beside it, and not the other way round.
*/
package router

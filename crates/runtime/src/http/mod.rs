//! Plumbing for HTTP over TCP and Unix sockets: a guarded server and a small client.

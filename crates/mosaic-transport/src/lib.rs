//! Real sockets: pinned TLS 1.3 client and server, sealed relay, plain loopback listener, the system clock.

"""Frames over gRPC with mutual TLS: a server that lets the named parties in, a client that finds them."""

"""Compression: how a tensor is written on the wire. One codec a file, one yaml in `conf/codec/`.

A codec is a `split.codec.Codec`: it writes a tensor as named tensors, says their layout beforehand, and reads them back; the
bytes of these are those that are counted, in one process and on the socket. Not for what changes the tensor's meaning to its
party: that is a guard.
"""

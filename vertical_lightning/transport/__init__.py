"""What carries messages between parties in processes of their own: frames, what is refused, and the engines beneath.

An engine (`gloo`, `grpc`) moves frames and nothing else; `line.Line` notices who is gone, and counts bytes; `peer.Peer` makes
messages out of frames, and takes none whose form is not in `messages`; `remote.Remote` lets nothing but the topology's declared
hops onto the wire.
"""

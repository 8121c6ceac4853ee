"""What carries messages between parties in processes of their own: frames, what is refused, and the backends beneath.

A backend (`gloo`, `grpc`) moves frames and nothing else; `line.Line` notices who is gone, and counts bytes; `peer.Peer` makes
messages out of frames, and takes none whose form is not in `messages`; `distributed.remote_transport` lets nothing but the
topology's declared hops onto the wire.
"""

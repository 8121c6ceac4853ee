"""What carries messages between parties in processes of their own: frames, what is refused, and the engines beneath.

An engine (`gloo`, `grpc`) moves frames and nothing else; `peer.Peer` makes messages out of them, notices who is gone, and
counts bytes; `remote.Remote` lets nothing but the topology's declared hops onto the wire.
"""

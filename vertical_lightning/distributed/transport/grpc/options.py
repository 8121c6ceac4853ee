"""What both ends of a gRPC stream have to agree on."""

from __future__ import annotations

from vertical_lightning.distributed.transport.frame import HEADER, PAYLOAD

SERVICE, METHOD = "vertical_lightning", "Link"
_LONGEST = HEADER + PAYLOAD + 1024
OPTIONS = [
    ("grpc.max_send_message_length", _LONGEST),
    ("grpc.max_receive_message_length", _LONGEST),
    ("grpc.keepalive_time_ms", 2000),  # a cut cable is noticed after five seconds
    ("grpc.keepalive_timeout_ms", 3000),
    ("grpc.http2.ping_timeout_ms", 3000),  # without it a frozen peer, whose kernel still answers, is noticed after a minute
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 1000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 500),  # or the listener hangs up on what it takes for a flood
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.http2.max_frame_size", 2**20),  # with 16 KiB, gRPC's default, TLS takes a third longer
    ("grpc.http2.lookahead_bytes", 2**22),
    ("grpc.enable_http_proxy", 0),  # parties meet each other, not a proxy of the web's
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
]

"""The request path through TLS beside plain TCP, to one and the same Redis."""

import contextlib
import os
import sys

import sides
from clusters import OneRedis
from processes import free_port

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))

from harness.certificates import Certificates  # noqa: E402


class Encrypted:
    """The same Redis by its port that speaks TLS."""

    def __init__(self, redis, port):
        self.redis, self.url = redis, f"rediss://127.0.0.1:{port}"

    def __getattr__(self, name):
        return getattr(self.redis, name)


def measure(binary, folder, options, say):
    """Returns the sides without and with TLS."""
    with contextlib.ExitStack() as stack:
        folder = f"{folder}/encryption"
        os.makedirs(folder)
        certificates = Certificates(folder, "IP:127.0.0.1")
        port = free_port()
        redis = stack.enter_context(OneRedis(
            f"{folder}/redis", options.aof, "--tls-port", str(port), "--tls-cert-file", certificates.own[0],
            "--tls-key-file", certificates.own[1], "--tls-ca-cert-file", certificates.authority,
            "--tls-auth-clients", "no"))
        redis.wait_ready()
        plain = sides.Side("dispatch, plain TCP", redis)
        encrypted = sides.Side(
            "dispatch, TLS", Encrypted(redis, port), {"USHER_REDIS_CA": certificates.authority})
        sides.measure([plain, encrypted], binary, f"{folder}/sides", options, say)
        return plain, encrypted

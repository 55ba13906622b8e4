"""Faults of the network between bots and nodes that are put exactly beside a request."""

from faults.border import BORDER_S
from faults.fault import Fault, NoTarget
from history import now_ns


class AnswerLost(Fault):
    """A node has taken a bot's report, and the connection breaks before the bot hears so."""

    name = "api-answer-lost"

    def arm(self, proxy):
        return proxy.lose_answer(is_report)

    def inject(self, cluster, random):
        proxy = cluster.api_proxy
        loss = self.arm(proxy)
        if not loss.struck.wait(BORDER_S) and proxy.forget(loss):
            raise NoTarget(f"no report came within {BORDER_S:g} s")
        self.struck_ns = now_ns()
        return proxy.name, ""


class RequestLost(AnswerLost):
    """The connection breaks before a bot's report is there."""

    name = "api-request-lost"

    def arm(self, proxy):
        return proxy.lose_request(is_report)


def is_report(request):
    """Whether these bytes are a bot's report of its status."""
    line = request.partition(b"\r\n")[0]
    return line.startswith(b"POST /internal/bots/") and b"/status" in line

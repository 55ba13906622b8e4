"""Times as the APIs take and show them."""

import datetime


def iso(seconds_from_now, zone="+00:00"):
    """ISO 8601, in UTC unless another name of it is to stand at the end."""
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds_from_now)
    return time.isoformat(timespec="milliseconds").replace("+00:00", zone)

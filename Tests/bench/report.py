"""The results of a run as tables, in plain text or Markdown."""

import statistics


def rate(number):
    return f"{number:,.0f}"


def milliseconds(micros):
    return "" if micros is None else f"{micros / 1000:.2f}"


def mebibytes(number):
    return f"{number / 2**20:.1f} MiB"


def phase_rows(phases):
    rows = [("phase", "a second", "p50 ms", "p99 ms", "p99.9 ms", "node µs", "Redis µs", "load µs", "others", "load avg")]
    for phase in phases:
        rows.append((
            phase.name, rate(phase.rate), milliseconds(phase.p50_us), milliseconds(phase.p99_us),
            milliseconds(phase.p999_us), f"{phase.node_us:.1f}", f"{phase.redis_us:.1f}", f"{phase.load_us:.1f}",
            f"{phase.others:.2f}", f"{phase.load_average:.1f}"))
    return rows


def median_rows(phases):
    """The median of each column over the rounds, for every kind of phase."""
    names = list(dict.fromkeys(phase.name for phase in phases))
    rows = [("median", "a second", "p50 ms", "p99 ms", "p99.9 ms", "node µs", "Redis µs", "load µs")]
    for name in names:
        same = [phase for phase in phases if phase.name == name]

        def median(field):
            values = [getattr(phase, field) for phase in same]
            return None if None in values else statistics.median(values)

        rows.append((
            name, rate(median("rate")), milliseconds(median("p50_us")), milliseconds(median("p99_us")),
            milliseconds(median("p999_us")), f"{median('node_us'):.1f}", f"{median('redis_us'):.1f}",
            f"{median('load_us'):.1f}"))
    return rows


def ratio_rows(ratios):
    return [
        ("dispatches through HTTP, as a share of the script alone", "measured", "aim"),
        ("median of the rounds", f"{statistics.median(ratios):.2f}", "1.0, at least 0.8"),
        ("least and most", f"{min(ratios):.2f} {max(ratios):.2f}", ""),
        ("each round", " ".join(f"{ratio:.2f}" for ratio in ratios), ""),
    ]


def status_rows(phases):
    """How `GET /bots/status` grows: with the bots of the workspace that asks, and not with those of others."""
    rows = [("GET /bots/status: bots", "others' bots", "a second", "p50 ms", "p99 ms", "bytes", "node µs a bot",
             "Redis µs a bot", "bytes a bot")]
    for status in phases:
        phase = status.phase
        rows.append((
            f"{status.bots:,}", f"{status.others:,}", rate(phase.rate), milliseconds(phase.p50_us),
            milliseconds(phase.p99_us), f"{status.answer_bytes:,}", f"{phase.node_us / status.bots:.1f}",
            f"{phase.redis_us / status.bots:.1f}", f"{status.answer_bytes / status.bots:.0f}"))
    return rows


def growth_rows(done):
    """Shares of the processor time of node and Redis together, which other work on the machine disturbs least."""

    def cost(phases, **wanted):
        return statistics.median(
            phase.node_us + phase.redis_us for phase, about in phases
            if all(about[name] == value for name, value in wanted.items()))

    requests = [(entry.phase, {"others": entry.others}) for entry in done.requests]
    status = [(entry.phase, {"bots": entry.bots, "others": entry.others}) for entry in done.status]
    crowd, most = max(entry.others for entry in done.status), max(entry.bots for entry in done.status)
    alone, beside = cost(status, bots=1, others=0), cost(status, bots=1, others=crowd)
    few, many = cost(status, bots=100, others=0) / 100, cost(status, bots=most, others=0) / most
    return [
        ("how it grows, in processor time of node and Redis", "measured", "aim"),
        (f"POST /bots beside another's {crowd:,} bots, to none",
         f"{cost(requests, others=crowd) / cost(requests, others=0):.2f}", "1.0"),
        (f"GET /bots/status of 1 bot beside another's {crowd:,}, to none", f"{beside / alone:.2f}", "1.0"),
        (f"GET /bots/status, a bot of {most:,} to a bot of 100", f"{many / few:.2f}", "1.0"),
    ]


def launch_rows(launches):
    return [
        ("from an accepted dispatch to the bot's process", "measured"),
        ("dispatches a second", f"{launches.rate:.0f}"),
        ("bots", f"{launches.count:,}"),
        ("p50 ms", f"{launches.p50_ms:.1f}"),
        ("p99 ms", f"{launches.p99_ms:.1f}"),
        ("longest ms", f"{launches.longest_ms:.1f}"),
        ("runner µs a bot, without the supervisors", f"{launches.runner_us:.0f}"),
    ]


def footprint_rows(footprint):
    return [
        ("footprint", "measured", "aim"),
        ("resident memory, idle", mebibytes(footprint.idle_bytes), "under 25 MB"),
        (f"resident memory, {footprint.connections:,} idle connections",
         mebibytes(footprint.with_connections_bytes), ""),
        ("a connection", f"{footprint.bytes_a_connection:,.0f} bytes", "under 8 KB"),
        (f"from start to the first answer (median of {footprint.starts})",
         f"{footprint.first_answer_seconds * 1000:.0f} ms", "under 150 ms"),
        ("from start to the first answer out of Redis", f"{footprint.first_record_seconds * 1000:.0f} ms", ""),
        ("binary, as built", mebibytes(footprint.binary_bytes), ""),
        ("binary, stripped", mebibytes(footprint.stripped_bytes), ""),
    ]


def table(rows, is_markdown):
    """The first row is the heading. The first column is words, the others are figures."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))]
        lines.append(f"| {' | '.join(cells)} |" if is_markdown else "  ".join(cells).rstrip())
    if is_markdown:
        rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
        lines.insert(1, f"| {' | '.join(rule)} |")
    return "\n".join(lines) + "\n"

"""What `/metrics` shows, read by Prometheus' own parser and checked against the rules for names."""

import re

from prometheus_client.parser import text_string_to_metric_families

from harness.http_client import request

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Scrape:
    """One answer. `value("usher_x_total", code="202")` is a sample's; None if there is none."""

    def __init__(self, port, timeout_s=60.0):
        answer = request(port, "GET", "/metrics", timeout_s=timeout_s)
        assert (answer.status, answer.header("Content-Type")) == (200, CONTENT_TYPE), answer
        self.text = answer.body.decode()
        check_form(self.text)
        self._samples = {}
        for family in text_string_to_metric_families(self.text):
            for sample in family.samples:
                key = sample.name, tuple(sorted(sample.labels.items()))
                assert key not in self._samples, f"{key} is there twice"
                self._samples[key] = sample.value

    def value(self, name, **labels):
        return self._samples.get((name, tuple(sorted(labels.items()))))

    def sum(self, name, **labels):
        """Of all samples that have these labels, whatever else they have."""
        wanted = labels.items()
        return sum(value for (found, has), value in self._samples.items() if found == name and wanted <= set(has))

    @property
    def series(self):
        """Every name with its labels."""
        return set(self._samples)


def check_form(text):
    """What `promtool check metrics` checks: help, type and samples of each metric together, names and units by the
    conventions, buckets that are cumulative and end with the count."""
    assert text.endswith("\n")
    seen, name, kind, buckets = set(), None, None, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, help_text = line.removeprefix("# HELP ").split(" ", 1)
            assert name not in seen, f"{name} is there in two parts"
            assert help_text.strip(), f"{name} has no help"
            seen.add(name)
            kind = None
        elif line.startswith("# TYPE "):
            assert line.split()[2] == name, line
            kind = line.split()[3]
            assert kind in ("counter", "gauge", "histogram"), line
            assert (kind == "counter") == name.endswith("_total"), line
            assert not re.search(r"_(ms|milliseconds|kb|mb|percent|minutes)(_|$)", name), line
        else:
            sample, labels = re.fullmatch(r"([a-z_][a-z0-9_]*)(?:\{(.*)\})? [-+0-9.eInfNa]+", line).groups()
            endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            assert kind and sample in {name + ending for ending in endings}, line
            if sample.endswith("_bucket") and kind == "histogram":
                series = re.sub(r',?le="[^"]*"', "", labels)
                count = float(line.rsplit(" ", 1)[1])
                assert count >= buckets.get((name, series), 0), line
                buckets[name, series] = count
                is_last = 'le="+Inf"' in labels
            elif sample.endswith("_count") and kind == "histogram":
                assert is_last and float(line.rsplit(" ", 1)[1]) == buckets[name, labels or ""], line

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from jupyter_mlstudio.serving.metrics import BOUNDS_S, Meter, Series, Tally, text


def test_what_processes_report_adds_up_to_what_they_counted() -> None:
    meters = [Meter(), Meter()]
    tally = Tally()
    for number in range(100):
        meters[number % 2].record(200 if number % 10 else 400, number / 100)
        if number % 7 == 0:
            tally.add(meters[number % 2].report())
    for meter in meters:
        tally.add(meter.report())
        tally.add(meter.report())
    assert tally.statuses == {"200": 90, "400": 10}
    assert sum(tally.buckets) == 100
    assert abs(tally.sum_s - sum(meter.total().sum_s for meter in meters)) < 1e-9


def test_a_duration_is_in_the_first_bucket_whose_bound_it_does_not_pass() -> None:
    meter = Meter()
    for seconds in (0.0, BOUNDS_S[0], BOUNDS_S[0] + 1e-9, BOUNDS_S[-1], BOUNDS_S[-1] + 1):
        meter.record(200, seconds)
    buckets = meter.total().buckets
    assert (buckets[0], buckets[1], buckets[-2], buckets[-1]) == (2, 1, 1, 1)


def test_names_cannot_break_out_of_their_labels() -> None:
    evil = 'a"b\\c\nd'
    written = text([Series(evil, "blue", evil, "1", Tally({"200": 1}), 0, {})]).decode()
    (family,) = [one for one in text_string_to_metric_families(written) if one.name == "mlstudio_endpoint_requests"]
    assert {sample.labels["model"] for sample in family.samples} == {evil}


def test_a_deployment_that_reported_nothing_is_there_with_zeros() -> None:
    written = text([Series("e", "green", "m", "2", Tally(), 0, {})]).decode()
    values = {s.value for family in text_string_to_metric_families(written) for s in family.samples}
    assert values == {0.0}

"""Tests of the arithmetic: `python3 -B -m unittest discover bench/versus`."""

import base64
import json
import unittest
import xml.etree.ElementTree as xml
from collections import Counter

import cases
import histogram
import plot
import table
from measure import Sample
from servers import Memcached
from slices import KEPT_MIN, Side, Slice
from verdict import AddedRow, Figure, MemoryRow, speed_rows

DEBIANS = Memcached("memcached", "1.6.18", True, 0)
NEWER = Memcached("/opt/memcached", "1.6.45", False, 0)


def sample(cpu=1.0, ops=100.0, p99=10.0, load_busy=0.5, disturbance=0.0) -> Sample:
    return Sample(ops, cpu, p99, 1.0, load_busy, disturbance)


def one_slice(latency_us=100.0, stolen=0.0, others=0.0, waited=0.0) -> Slice:
    return Slice(Counter({latency_us: 1000}), 67_000.0, 7.0, stolen, others, waited)


def case(name: str) -> cases.SpeedCase:
    return next(case for case in cases.SPEED if case.name == name)


class Ratios(unittest.TestCase):
    def test_medians_are_those_of_the_pairs_not_of_the_columns(self):
        rounds = [
            [sample(cpu=1.0), sample(cpu=2.0)],
            [sample(cpu=9.0), sample(cpu=10.0)],
            [sample(cpu=4.0), sample(cpu=5.0)],
        ]
        (row,) = speed_rows(case("get_100b"), [DEBIANS], rounds)
        self.assertAlmostEqual(row.cpu.value, 0.8)

    def test_ops_say_nothing_where_the_load_is_the_limit(self):
        for ours, theirs in ((0.96, 0.5), (0.5, 0.96)):
            rounds = [[sample(load_busy=ours), sample(load_busy=theirs)]]
            (row,) = speed_rows(case("get_100b"), [DEBIANS], rounds)
            self.assertIsNone(row.for_json()["ops_ratio"])
            self.assertIsNone(row.ops.holds)

    def test_each_peer_has_its_own_bound(self):
        rounds = [[sample(cpu=0.3), sample(cpu=1.0), sample(cpu=1.0)]]
        old, new = speed_rows(case("get_100b_p16"), [DEBIANS, NEWER], rounds)
        self.assertFalse(old.cpu.holds)
        self.assertTrue(new.cpu.holds)
        self.assertAlmostEqual(old.ops.bound, 5.0)
        self.assertAlmostEqual(new.ops.bound, 1 / 0.55)

    def test_a_bound_may_be_a_floor_or_a_ceiling_and_is_met_when_equal(self):
        self.assertTrue(Figure(0.8, 0.8).holds)
        self.assertFalse(Figure(0.81, 0.8).holds)
        self.assertTrue(Figure(1.2, 1.2, is_floor=True).holds)
        self.assertFalse(Figure(1.19, 1.2, is_floor=True).holds)
        self.assertIsNone(Figure(1.0, None).holds)


class Slices(unittest.TestCase):
    def test_a_slice_is_judged_by_causes_and_not_by_its_latencies(self):
        self.assertTrue(one_slice(latency_us=1e6).is_undisturbed)
        self.assertTrue(one_slice(stolen=0.2, others=0.2, waited=0.2).is_undisturbed)
        for disturbed in (one_slice(stolen=0.21), one_slice(others=0.21), one_slice(waited=0.21)):
            self.assertFalse(disturbed.is_undisturbed)

    def test_servers_and_what_the_kernel_does_for_them_are_no_others(self):
        ran = [(1, "init", 0.25), (7, "cofferdam", 200.0), (14, "ksoftirqd/0", 3.0), (78, "kdamond.0", 1.0)]
        report = {
            "ops_per_s": 67_000.0,
            "histogram": base64.b64encode(histogram.HEADER.pack(0, 0, 0, 3, 1, 10**9, 1.0)).decode(),
            "generator": {
                "lag": {"p99_us": 7.0},
                "outside": {
                    "stolen_ms": 0.1,
                    "waited_ms": 0.2,
                    "others": [{"pid": pid, "name": name, "ran_ms": ran_ms} for pid, name, ran_ms in ran],
                },
            },
        }
        one = Slice.of(report, ours={7})
        self.assertEqual((one.stolen_ms, one.others_ms, one.waited_ms), (0.1, 1.25, 0.2))

    def test_what_a_gateway_adds_is_of_all_requests_of_the_slices_that_are_kept(self):
        disturbed = [one_slice(9000.0, stolen=10.0)] * KEPT_MIN
        fleet = Side([one_slice(300.0)] * KEPT_MIN + [one_slice(500.0)] * KEPT_MIN + disturbed)
        row = AddedRow(cases.ADDED, fleet, Side([one_slice(100.0)] * KEPT_MIN))
        self.assertAlmostEqual(row.figure.value, 0.4)
        self.assertTrue(row.figure.holds)
        self.assertAlmostEqual(row.of_all_ms, 8.9)
        text = table.markdown([], [], "", [row])
        for words in ("0.40 (≤ 0.50 holds)", f"{2 * KEPT_MIN} of {3 * KEPT_MIN} / {KEPT_MIN} of {KEPT_MIN}", "500 / 100", "8.90", "9,000 / 100", "7 / 7"):
            self.assertIn(words, text)

    def test_too_few_slices_are_no_pass(self):
        row = AddedRow(cases.ADDED, Side([one_slice()] * (KEPT_MIN - 1)), Side([one_slice()] * KEPT_MIN))
        self.assertIsNone(row.figure.holds)
        self.assertIsNone(row.for_json()["added_ms"])
        self.assertIn("could not be measured", table.markdown([], [], "", [row]))
        nothing = AddedRow(cases.ADDED, Side([one_slice(stolen=10.0)]), Side([one_slice(stolen=10.0)]))
        self.assertIn("could not be measured", table.markdown([], [], "", [nothing]))


class Histograms(unittest.TestCase):
    def test_places_are_read_with_their_gaps(self):
        # Zigzag: 3 times place 2, a gap of 4,997, 100 times place 5,000; three digits, from 1 ns on.
        counts = bytes([0x03, 0x06, 0x89, 0x4E, 0xC8, 0x01])
        header = histogram.HEADER.pack(0x1C849313, len(counts), 0, 3, 1, 10**9, 1.0)
        read = histogram.read(base64.b64encode(header + counts).decode())
        # Place 5,000 is the 904th of the doubling that begins at 8,192 ns, in steps of 8.
        self.assertEqual(read, Counter({0.002: 3, (1024 + 904) * 8 / 1000: 100}))

    def test_quantiles_count_every_one(self):
        counts = Counter({1.0: 98, 2.0: 1, 3.0: 1})
        self.assertEqual(histogram.quantile_us(counts, 0.99), 2.0)
        self.assertEqual(histogram.quantile_us(counts, 0.991), 3.0)
        self.assertEqual(histogram.quantile_us(Counter(), 0.99), 0.0)


class Output(unittest.TestCase):
    def setUp(self):
        self.speed = speed_rows(case("get_100b"), [DEBIANS], [[sample(0.5), sample(disturbance=0.1)]])
        self.memory = [MemoryRow(cases.MEMORY[0], "memcached", "1.6.18", 140.0, 200.0)]

    def test_the_json_has_exactly_its_shape(self):
        self.assertEqual(
            list(self.speed[0].for_json()),
            ["name", "peer", "peer_version", "ops_ratio", "cpu_per_op_ratio", "p99_ratio"]
            + ["server_busy", "load_busy", "peer_server_busy", "peer_load_busy"],
        )
        self.assertEqual(
            json.loads(json.dumps(self.memory[0].for_json())),
            {
                "name": "density_100b",
                "ours_bytes": 140.0,
                "peer_bytes": 200.0,
                "bytes_ratio": 0.7,
                "n": 2_000_000,
            },
        )

    def test_the_table_shows_bound_and_verdict_and_disturbance(self):
        text = table.markdown(self.speed, self.memory, table.setting(5, 5.0))
        for words in ("0.50 (≤ 0.80 holds)", "**missed**", "0.70 (≤ 0.75 holds)", "do not trust get_100b"):
            self.assertIn(words, text)

    def test_the_plot_is_sound_xml_with_a_bar_each(self):
        root = xml.fromstring(plot.svg(self.speed, self.memory))
        bars = root.findall("{http://www.w3.org/2000/svg}rect")
        self.assertEqual(len(bars), 1 + 2)


if __name__ == "__main__":
    unittest.main()

"""Tests of the arithmetic: `python3 -B -m unittest discover bench/versus`."""

import json
import unittest
import xml.etree.ElementTree as xml

import cases
import plot
import table
from measure import Sample
from servers import Memcached
from verdict import Figure, MemoryRow, added_row, speed_rows

DEBIANS = Memcached("memcached", "1.6.18", True, 0)
NEWER = Memcached("/opt/memcached", "1.6.45", False, 0)


def sample(cpu=1.0, ops=100.0, p99=10.0, load_busy=0.5, disturbance=0.0, lag=1.0) -> Sample:
    return Sample(ops, cpu, p99, lag, 1.0, load_busy, disturbance)


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


    def test_what_a_gateway_adds_is_the_median_of_the_differences(self):
        rounds = [[sample(p99=900.0, lag=77.0), sample(p99=100.0)], [sample(p99=300.0, lag=77.0), sample(p99=100.0)]]
        row = added_row(cases.ADDED, [*rounds, [sample(p99=500.0), sample(p99=200.0)]])
        self.assertAlmostEqual(row.added_ms, 0.3)
        self.assertTrue(row.figure.holds)
        self.assertIn("holds", table.markdown([], [], "", [row]))
        # How late the load itself was is told beside it.
        self.assertEqual((row.for_json()["fleet_lag_p99_us"], row.for_json()["alone_lag_p99_us"]), (77.0, 1.0))
        self.assertIn("77 / 1", table.markdown([], [], "", [row]))


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

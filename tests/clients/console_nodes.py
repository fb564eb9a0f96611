"""The console's page of nodes, over a fleet of processes: what it says of nodes that serve, are taken out, stop
and come back, in a real browser; and where there is no fleet."""

import json
import os
import re
import signal
import threading
import time

import harness
from console import Browser as Person
from console import token
from fleet import Fleet, get_many, set_one
from harness import Mismatch, Server, Suite, eventually

suite = Suite("console_nodes", server=False)


class Gateway:
    """One of a fleet's, as the browser of the console's suite wants it."""

    def __init__(self, fleet, number=1):
        self.admin = ("127.0.0.1", fleet.port + 29 + number)
        self.data_dir = os.path.join(fleet.folder, f"gateway{number}")


class Clients(threading.Thread):
    """Some that store and read through the first gateway, until they are told to stop."""

    def __init__(self, fleet):
        super().__init__(daemon=True)
        self.fleet, self.ended = fleet, threading.Event()
        self.start()

    def run(self):
        keys = [f"user:{n}" for n in range(40)]
        while not self.ended.is_set():
            try:
                with self.fleet.conn() as conn:
                    while not self.ended.wait(0.05):
                        for key in keys[::8]:
                            set_one(conn, key, "x")
                        get_many(conn, keys)
            except (OSError, Mismatch, ValueError):
                time.sleep(0.1)

    def stop(self):
        self.ended.set()
        self.join()


def page(person):
    status, _, text = person.ask("GET", "/console/nodes")
    assert status == 200, status
    return text


def state(person, node):
    """What the page says that a node does."""
    found = re.search(rf'<th scope="row">{node}<.*?<span class="chip heat\d">([^<]+)<', page(person), re.DOTALL)
    return found and found.group(1)


@suite.test
def one_process_says_that_there_are_none():
    with Server() as server:
        person = Person(server).login()
        text = page(person)
        assert "There are no nodes" in text and "app.js" not in text, text
        good = person.form_token()
        for name in ("node1", "default"):
            assert person.ask("GET", f"/console/nodes/{name}/drain")[0] == 404
            assert person.ask("POST", f"/console/nodes/{name}/drain", {"form_token": good})[0] == 404
        assert Person(server).ask("GET", "/console/nodes")[0] == 303, "a stranger is sent to the login"
        assert Person(server).ask("POST", "/console/nodes/node1/drain", {})[0] == 401


@suite.test
def a_node_is_taken_out_and_let_in_again_by_a_person():
    """In a browser: see console_nodes_browser.js. Beside it what must not be done, and a node that stops."""
    harness.need_browser()
    with Fleet() as fleet:
        gateway = Gateway(fleet)
        eventually(fleet.is_whole, 20, "all nodes have their keys")
        eventually(fleet.is_ready, 10, "all nodes are reached")
        clients = Clients(fleet)
        person = Person(gateway).login()
        try:
            eventually(lambda: "All 4 nodes are serving." in page(person), 10, "all serve")
            for wrong in ({}, {"form_token": "a" * 26}):
                assert person.ask("POST", "/console/nodes/node2/drain", wrong)[0] == 403, wrong
            good = person.form_token()
            for path in ("/console/nodes/nobody/drain", "/console/nodes/node2/remove", "/console/nodes/gateway1/drain"):
                assert person.ask("POST", path, {"form_token": good})[0] == 404, path
            assert fleet.members()["node2"]["state"] == "serving"
            time.sleep(int(os.environ.get("SETTLE", "0")) / 1000)
            harness.person(
                "console_nodes_browser.js",
                URL=f"http://127.0.0.1:{gateway.admin[1]}",
                TOKEN=token(gateway),
                NODE3=str(fleet.pids["node3"]),
            )
            members = fleet.members()
            assert members["node2"]["state"] in ("probation", "ramping", "serving"), members["node2"]
            with open(os.path.join(gateway.data_dir, "audit.jsonl")) as file:
                deeds = [json.loads(line) for line in file]
            told = [(one["action"], one.get("node"), one["tenant"], one["outcome"]) for one in deeds]
            assert told == [("drain", "node2", None, "done"), ("readmit", "node2", None, "done")], told
            # A node that has ended has no answer, and is said to have none.
            fleet.kill("node4")
            eventually(lambda: state(person, "node4") == "no answer", 15, "a dead node is seen")
            assert "neither this gateway nor the store" in page(person) or "does not answer this gateway" in page(person)
            remembered = f"/console/data/history?names=node/node4/heat,fleet/unreachable&from={int(time.time()) - 60}"

            def is_kept():
                figures = json.loads(person.ask("GET", remembered)[2])["figures"]
                return 7 in figures["node/node4/heat"]["peak"]

            eventually(is_kept, 10, "the history remembers it")
        finally:
            clients.stop()
            os.kill(fleet.pids["node3"], signal.SIGCONT)


@suite.test
def more_nodes_than_may_are_taken_out_only_after_a_second_question():
    """In a browser: see console_nodes_force.js. Beside it what is on record, and that the first question alone does
    nothing."""
    harness.need_browser()
    with Fleet() as fleet:
        gateway = Gateway(fleet)
        eventually(fleet.is_whole, 20, "all nodes have their keys")
        person = Person(gateway).login()
        eventually(lambda: "All 4 nodes are serving." in page(person), 10, "all serve")
        good = {"form_token": person.form_token()}
        assert person.ask("POST", "/console/nodes/node1/eject", good)[0] == 303
        eventually(lambda: state(person, "node1") == "ejected", 5, "the first is out")
        status, _, asked = person.ask("POST", "/console/nodes/node2/eject", good)
        assert status == 409 and 'action="/console/nodes/node2/force-eject"' in asked, (status, asked)
        assert fleet.members()["node2"]["state"] == "serving"
        assert person.ask("POST", "/console/nodes/node2/force-eject", {})[0] == 403
        harness.person("console_nodes_force.js", URL=f"http://127.0.0.1:{gateway.admin[1]}", TOKEN=token(gateway))
        assert fleet.members()["node2"]["state"] == "ejected", fleet.members()
        with open(os.path.join(gateway.data_dir, "audit.jsonl")) as file:
            deeds = [json.loads(line) for line in file]
        told = [(one["action"], one["node"], one["outcome"] == "done") for one in deeds]
        refused = ("eject", "node2", False)
        assert told == [("eject", "node1", True), *[refused] * 3, ("force-eject", "node2", True)], told
        assert "no more than 1 may be out at once" in deeds[1]["outcome"], deeds


if __name__ == "__main__":
    suite.main()

"""A real Prometheus: it scrapes, loads the alerts, fires one that is due, and answers the dashboard."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from harness import ROOT, Server, Suite, eventually

suite = Suite("console_prometheus", server=False)

DEPLOY = os.path.join(ROOT, "deploy")


class Prometheus:
    """Debian's, over one Cofferdam, with deploy/alerts.yml."""

    def __init__(self, server):
        self.dir = tempfile.mkdtemp(prefix="cofferdam-prometheus-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = os.path.join(self.dir, "prometheus.yml")
        with open(config, "w") as file:
            file.write(
                "global: { scrape_interval: 1s, evaluation_interval: 1s }\n"
                f"rule_files: [{os.path.join(DEPLOY, 'alerts.yml')}]\n"
                "scrape_configs:\n"
                "  - job_name: cofferdam\n"
                f"    authorization: {{ credentials_file: {server.data_dir}/admin.token }}\n"
                f"    static_configs: [{{ targets: ['127.0.0.1:{server.admin[1]}'] }}]\n"
            )
        self.log = open(os.path.join(self.dir, "log"), "wb")
        self.process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={self.dir}/data",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=self.log,
            stderr=self.log,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def ask(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as why:
            raise AssertionError(f"{query}: {why.read().decode()}") from None

    def value(self, expression):
        """The value of the only sample, or None."""
        try:
            result = self.ask("query", query=expression)["result"]
        except (OSError, AssertionError):
            return None
        return float(result[0]["value"][1]) if len(result) == 1 else None


@suite.test
def rules_are_well_formed_and_say_what_they_should():
    for args in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run(["promtool", *args], cwd=DEPLOY, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@suite.test
def every_alert_is_about_a_metric_that_there_is():
    with Server() as server:
        types = [line for line in metrics(server).splitlines() if line.startswith("# TYPE ")]
        known = {line.split()[2] for line in types}
        with open(os.path.join(DEPLOY, "alerts.yml")) as file:
            rules = file.read()
        named = set(re.findall(r"\b(?:cofferdam|process)_[a-z0-9_]+", rules))
        named = {name.removesuffix("_bucket") for name in named}
        # Without certificates nothing is said of their end; the reference page names what can be there.
        with open(os.path.join(ROOT, "docs", "metrics.md")) as page:
            of_certificates = set(re.findall(r"^\| `(cofferdam_certificate_[a-z_]+)` \|", page.read(), re.M))
        missing = named - known - of_certificates
        assert not missing, missing


def metrics(server):
    with open(os.path.join(server.data_dir, "admin.token")) as file:
        token = file.read().strip()
    url = f"http://127.0.0.1:{server.admin[1]}/metrics"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


@suite.test
def it_scrapes_alerts_and_answers_the_dashboard():
    with Server() as server, Prometheus(server) as prometheus:
        acme = server.tenant("acme")
        eventually(lambda: prometheus.value("up") == 1, 30, "Prometheus scrapes")
        with server.connect(acme) as conn:
            for _ in range(50):
                conn.send("get missing\r\n")
                conn.lines_until("END")
        seen = 'sum(cofferdam_tenant_gets_total{tenant="acme",result="miss"})'
        eventually(lambda: prometheus.value(seen) == 50, 10, "50 misses in Prometheus")
        rules = [r["name"] for g in prometheus.ask("rules")["groups"] for r in g["rules"]]
        assert len(rules) >= 15, rules
        firing = [a["labels"]["alertname"] for a in prometheus.ask("alerts")["alerts"]]
        assert "CofferdamDown" not in firing, firing
        dashboard(prometheus)
        server.stop()
        down = 'ALERTS{alertname="CofferdamDown"}'
        eventually(lambda: prometheus.value(down) == 1, 20, "the alert of a service that is gone")


def dashboard(prometheus):
    """Each question of the dashboard is understood, and most have an answer at once."""
    with open(os.path.join(DEPLOY, "grafana.json")) as file:
        panels = json.load(file)["panels"]
    answered, asked = 0, 0
    for panel in panels:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$__rate_interval", "10s")
            expression = expression.replace("$instance", ".*").replace("$tenant", ".*")
            result = prometheus.ask("query", query=expression)["result"]
            asked, answered = asked + 1, answered + bool(result)
    assert asked >= 25 and answered >= asked * 0.6, f"{answered} of {asked} have an answer"


suite.main()

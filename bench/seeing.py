"""How soon the status page tells of an outage, how light it is for 50 tenants x 20 nodes x 90 days, and
what a thousand readers a second cost those who are served.

    bench/seeing.sh [outage] [calm] [light] [beside] [keys] [history]

The outage is a server that is stopped (SIGSTOP) under a status page of another process; the light page
is that of a process over a past that is written into its store. The readers ask a status page in a
process on the other core, in ten alternating pairs with and without them; what is compared is how long
the cache's own requests waited, as the cache tells. The history's cost is the processor time of its
threads while a hundred tenants are recorded, all of them busy. False incidents are those of the simulated healthy
days of `cargo test -p status`, which fails if there is one.
"""

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
sys.path.insert(0, os.path.join(ROOT, "tests", "clients"))
import status_past  # noqa: E402

BINARY = os.environ.get("COFFERDAM_BIN", os.path.join(TARGET, "release", "cofferdam"))
GATEWAYS, DAYS = 20, 90
PAIRS, WINDOW_S, SETTLE_S = 10, 2.5, 0.4
READERS, READS_PER_SECOND = 4, 1_000
CACHE_OPS = 8_000
KEY_PAIRS = 6
# The generator shares a core with the page and its readers: it goes first, or it would be their bursts
# that the cache is asked in.
FIRST = ["chrt", "-f", "10"] if subprocess.run(["chrt", "-f", "10", "true"], stderr=subprocess.DEVNULL).returncode == 0 else []
HISTORY_TENANTS, HISTORY_S = 100, 30


def outage(folder):
    """The suite's own measurement."""
    result = os.path.join(folder, "seeing.json")
    suite = os.path.join(ROOT, "tests", "clients", "status.py")
    subprocess.run([sys.executable, suite, "-k", "from_green"], check=True,
                   env={**os.environ, "COFFERDAM_SEEING": result, "COFFERDAM_BIN": BINARY}, stdout=sys.stderr)
    with open(result) as file:
        return json.load(file)


def light(folder):
    """Bytes of the first page, and the milliseconds that it took when nothing was ready."""
    status_past.write(folder, GATEWAYS, DAYS, status_past.mixed)
    config = os.path.join(folder, "status.toml")
    with open(config, "w") as file:
        file.write(f'data_dir = "{folder}"\n[listen]\nstatus = "127.0.0.1:0"\n')
        file.write("[status]\nevery = \"1m\"\n")
        for n in range(GATEWAYS):
            file.write(f'[[status.gateways]]\nname = "Zone {n}"\naddress = "127.0.0.1:1"\n'
                       f'username = "u"\npassword_file = "{config}"\n')
    process = subprocess.Popen([BINARY, "status", "--config", config], stdout=subprocess.PIPE)
    try:
        host, _, port = process.stdout.readline().decode().split("=")[1].strip().rpartition(":")
        times, size = [], 0
        for _ in range(5):
            # Longer than a page is given to all who ask.
            time.sleep(1.1)
            with contextlib.closing(http.client.HTTPConnection(host, int(port))) as connection:
                connection.connect()
                began = time.monotonic()
                connection.request("GET", "/")
                size = len(connection.getresponse().read())
                times.append((time.monotonic() - began) * 1_000)
        return {"page_bytes": size, "page_ms": round(sorted(times)[len(times) // 2], 2)}
    finally:
        process.terminate()
        process.wait()


def served(stat):
    """Requests by the upper end of how long they waited, of all tenants."""
    counts = {}
    for tenant in stat["tenants"]:
        for bucket in tenant["delay"]["buckets"]:
            counts[bucket["up_to_ns"]] = counts.get(bucket["up_to_ns"], 0) + bucket["requests"]
    return counts


def p99_us(before, after):
    """Within the bucket that it falls into, in proportion: buckets are a quarter apart."""
    grown = {end: count - before.get(end, 0) for end, count in after.items()}
    left, start = sum(grown.values()) * 0.99, 0
    for end in sorted(grown):
        if left <= grown[end]:
            return (start + (end - start) * left / grown[end]) / 1_000
        left, start = left - grown[end], end
    return None


def reader(addr, ended, per_second, answered):
    """Asks for the page so many times a second over one connection, as long as it takes."""
    sock = socket.create_connection(addr)
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    due = time.monotonic()
    while not ended.is_set():
        due += 1 / per_second
        sock.sendall(request)
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(1 << 16)
        head, _, body = head.partition(b"\r\n\r\n")
        length = int(next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")).split()[1])
        while len(body) < length:
            body += sock.recv(1 << 16)
        answered.append(1)
        time.sleep(max(0.0, due - time.monotonic()))
    sock.close()


def beside(folder):
    """The cache's p99 with a thousand readers a second of the status page, over that without."""
    data = os.path.join(folder, "data")
    up = ["taskset", "-c", "0", BINARY, "up", "--data-dir", data, "--threads", "1", "--memory", "64MiB",
          "--memcache", "127.0.0.1:0", "--memcache-auth", "127.0.0.1:0", "--admin", "127.0.0.1:0",
          "--nbd", "off", "--status", "off", "--tenant-console", "off"]
    server = subprocess.Popen(up, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    ready = dict(word.split("=") for word in server.stdout.readline().decode().split()[1:])
    cli = [BINARY, "--data-dir", data]
    canary = json.loads(subprocess.check_output(
        [*cli, "tenant", "add", "canary", "--memory", "1MiB", "--item-size", "1KiB", "--json"]))
    page = os.path.join(folder, "page")
    os.mkdir(page)
    with open(os.path.join(page, "password"), "w") as file:
        file.write(canary["password"])
    with open(os.path.join(page, "status.toml"), "w") as file:
        file.write(f'data_dir = "{page}"\n[listen]\nstatus = "127.0.0.1:0"\n[[status.gateways]]\nname = "Cache"\n'
                   f'address = "{ready["memcache_auth"]}"\nusername = "{canary["username"]}"\n'
                   f'password_file = "{page}/password"\n')
    status = subprocess.Popen(
        ["taskset", "-c", "1", BINARY, "status", "--config", os.path.join(page, "status.toml")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    host, _, port = status.stdout.readline().decode().split("=")[1].strip().rpartition(":")
    load = subprocess.Popen(
        [*FIRST, "taskset", "-c", "1", BINARY, "load", "--target", ready["memcache"], "--connections", "20",
         "--rate", str(CACHE_OPS), "--keys", "10000", "--duration", "10m", "--json"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stat = lambda: served(json.loads(subprocess.check_output([*cli, "stat", "--json"])))  # noqa: E731
    os.sched_setaffinity(0, {1})
    ratios, rates = [], []
    try:
        time.sleep(2)
        for pair in range(PAIRS):
            p99 = {}
            for with_readers in (True, False) if pair % 2 else (False, True):
                ended, answered = threading.Event(), []
                readers = [
                    threading.Thread(target=reader, args=((host, int(port)), ended, READS_PER_SECOND / READERS, answered))
                    for _ in range(READERS if with_readers else 0)]
                for one in readers:
                    one.start()
                time.sleep(SETTLE_S)
                before, began, asked = stat(), time.monotonic(), len(answered)
                time.sleep(WINDOW_S)
                p99[with_readers] = p99_us(before, stat())
                if with_readers:
                    rates.append((len(answered) - asked) / (time.monotonic() - began))
                ended.set()
                for one in readers:
                    one.join()
            ratios.append(p99[True] / p99[False])
    finally:
        for process in (load, status, server):
            process.terminate()
            process.wait()
    return {"readers_p99_ratio": round(statistics.median(ratios), 3), "readers_per_second": int(statistics.median(rates))}


def keys(folder):
    """What sampling a tenant's keys costs: processor time for each request, of a tenant whose console is
    looked at over that of another with the same load beside it, and the two swapped."""
    data = os.path.join(folder, "data")
    up = ["taskset", "-c", "0", BINARY, "up", "--data-dir", data, "--threads", "1", "--memory", "256MiB",
          "--memcache", "127.0.0.1:0", "--memcache-auth", "127.0.0.1:0", "--admin", "127.0.0.1:0",
          "--nbd", "off", "--status", "off", "--tenant-console", "127.0.0.1:0"]
    server = subprocess.Popen(up, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    ready = dict(word.split("=") for word in server.stdout.readline().decode().split()[1:])
    cli = [BINARY, "--data-dir", data]
    names = [f"t{n}" for n in range(2 * KEY_PAIRS)]
    tenants = {name: json.loads(subprocess.check_output(
        [*cli, "tenant", "add", name, "--memory", "8MiB", "--json"])) for name in names}
    os.sched_setaffinity(0, {1})
    ratios = []
    try:
        for pair in range(KEY_PAIRS):
            first, second = names[2 * pair:2 * pair + 2]
            watched, other = (first, second) if pair % 2 else (second, first)
            look(ready["tenant_console"], tenants[watched])
            loads = [subprocess.Popen(
                ["taskset", "-c", "1", BINARY, "load", "--target", ready["memcache_auth"], "--login",
                 f"{tenants[name]['username']}:{tenants[name]['password']}", "--connections", "8", "--keys", "5000",
                 "--distribution", "zipf", "--duration", "5s", "--json"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for name in (first, second)]
            time.sleep(2)
            before = busy(cli)
            time.sleep(3)
            after = busy(cli)
            each = {name: (after[name][0] - before[name][0]) / (after[name][1] - before[name][1])
                    for name in (watched, other)}
            ratios.append(each[watched] / each[other])
            for load in loads:
                load.wait()
    finally:
        server.terminate()
        server.wait()
    return {"keys_cost_ratio": round(statistics.median(ratios), 4)}


def busy(cli):
    """Nanoseconds of processor time and requests, by tenant."""
    stat = json.loads(subprocess.check_output([*cli, "stat", "--json"]))
    return {one["tenant"]: (one["clients"]["busy_ns"], one["clients"]["reads_served"] + one["clients"]["writes_served"])
            for one in stat["tenants"]}


def look(addr, tenant):
    """Opens a tenant's console once, so that its keys are sampled for a minute."""
    host, _, port = addr.rpartition(":")

    def ask(method, path, form=None, cookie=""):
        with contextlib.closing(http.client.HTTPConnection(host, int(port))) as connection:
            headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
            connection.request(method, path, form and urllib.parse.urlencode(form), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            return (answer.getheader("Set-Cookie") or cookie).split(";")[0], text

    cookie, text = ask("GET", "/login")
    token = re.search(r'name="form_token" value="(\w+)"', text).group(1)
    form = {"form_token": token, "username": tenant["username"], "password": tenant["password"]}
    cookie, _ = ask("POST", "/login", form, cookie)
    _, text = ask("GET", "/", cookie=cookie)
    assert "Your busiest keys" in text, text


def history(folder):
    """The share of a core that it takes to look once a second and to keep what is seen, with a hundred
    tenants of which each has a client: processor time of the threads that do so."""
    data = os.path.join(folder, "data")
    up = [BINARY, "up", "--data-dir", data, "--threads", "1", "--memory", "512MiB",
          "--memcache", "127.0.0.1:0", "--memcache-auth", "127.0.0.1:0", "--admin", "127.0.0.1:0",
          "--nbd", "off", "--status", "off", "--tenant-console", "off"]
    server = subprocess.Popen(up, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    socks = []
    try:
        ready = dict(word.split("=") for word in server.stdout.readline().decode().split()[1:])
        host, _, port = ready["memcache_auth"].rpartition(":")
        for n in range(HISTORY_TENANTS):
            tenant = json.loads(subprocess.check_output(
                [BINARY, "--data-dir", data, "tenant", "add", f"t{n}", "--memory", "2MiB", "--item-size", "1KiB", "--json"]))
            sock = socket.create_connection((host, int(port)))
            login = f"{tenant['username']} {tenant['password']}"
            sock.sendall(f"set auth 0 0 {len(login)}\r\n{login}\r\n".encode())
            socks.append(sock)
        time.sleep(2)
        before, began = thread_seconds(server.pid), time.monotonic()
        while time.monotonic() - began < HISTORY_S:
            for sock in socks:
                sock.sendall(b"get a\r\nset a 0 0 1\r\na\r\n")
                sock.recv(4096)
            time.sleep(0.1)
        took = time.monotonic() - began
        spent = {name: (now - before.get(name, 0)) / took for name, now in thread_seconds(server.pid).items()}
    finally:
        for sock in socks:
            sock.close()
        server.terminate()
        server.wait()
    return {"history_core_share": round(spent["history"], 5), "observer_core_share": round(spent["observe"], 5)}


def thread_seconds(pid):
    """Processor seconds by thread."""
    spent = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm") as file:
            name = file.read().strip()
        with open(f"/proc/{pid}/task/{task}/schedstat") as file:
            spent[name] = spent.get(name, 0) + int(file.read().split()[0]) / 1e9
    return spent


def calm(_):
    """No false incident in the simulated healthy days."""
    done = subprocess.run(
        ["cargo", "test", "--quiet", "-p", "status", "a_day_of_noise_is_a_day_without_incidents"],
        cwd=ROOT, stdout=sys.stderr)
    if done.returncode != 0:
        sys.exit("the simulated days have false incidents: see above")
    return {"false_incidents": 0}


PARTS = {"outage": outage, "calm": calm, "light": light, "beside": beside, "keys": keys, "history": history}


def main():
    path = os.path.join(TARGET, "bench", "seeing.json")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    result = {}
    chosen = sys.argv[1:] or list(PARTS)
    if len(chosen) < len(PARTS) and os.path.exists(path):
        # What is measured part by part stands together.
        with open(path) as file:
            result = json.load(file)
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            result.update(PARTS[name](folder))
    with open(path, "w") as file:
        json.dump(result, file)
    print(json.dumps(result))


main()

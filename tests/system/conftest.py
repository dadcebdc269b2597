"""What every system test is given: a real Kafka, topics, agents.

SPDX-License-Identifier: Apache-2.0
"""
import itertools
import os
import re

import pytest

import kafka as node
from cluster import Cluster
from java_side import JavaSide
from proxy import Proxy
from stoker import BINARY, Agent

COUNTER = itertools.count(1)
LONGEST = {"test_cluster", "test_faults", "test_outage", "test_torture"}
CLAIMED = {}                    # file of tests -> is it ours?


def pytest_addoption(parser):
    parser.addoption("--outage-mib", type=int, default=1024,
                     help="MiB that are written while the broker is away")
    parser.addoption("--torture-seed", type=int,
                     default=int(os.environ.get("TORTURE_SEED", 0)))
    parser.addoption("--torture-seconds", type=float,
                     default=float(os.environ.get("TORTURE_SECONDS", 60)))


    parser.addoption("--shared", metavar="FOLDER",
                     help="share the files of tests with other runs that have this folder")


def pytest_configure(config):
    config.addinivalue_line("markers", "sanitized: runs with the sanitizer build as well")


def pytest_collection_modifyitems(config, items):
    """The longest files first, so that runs that share them end at about the same time."""
    if config.getoption("--shared") is not None:
        items.sort(key=lambda item: item.path.stem not in LONGEST)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    """A file of tests belongs to the run that comes to it first."""
    return True if not ours(item.config, item.path.stem) else None


def ours(config, file):
    folder = config.getoption("--shared")
    if folder is None or file in CLAIMED:
        return folder is None or CLAIMED[file]
    try:
        os.close(os.open(os.path.join(folder, file), os.O_CREAT | os.O_EXCL))
        CLAIMED[file] = True
    except FileExistsError:
        CLAIMED[file] = False
    return CLAIMED[file]


def pytest_report_header():
    return f"stoker: {BINARY}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what every agent of the test had to say."""
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        for agent in getattr(item, "agents", []):
            report.sections.append((f"stderr of {agent.log_path}",
                                    agent.log_path.read_text(errors="replace")[-6000:]))


@pytest.fixture(scope="session")
def kafka_node(tmp_path_factory):
    """One node for the whole run."""
    folder = tmp_path_factory.mktemp("kafka")
    node.fetch_jars()
    node.archive_classes(folder / "archive")
    kafka = node.Kafka(folder / "node")
    kafka.start()
    yield kafka
    kafka.close()


@pytest.fixture
def kafka(kafka_node):
    """It runs; and runs again after a test that stopped, killed or paused it."""
    yield kafka_node
    if kafka_node.running():
        kafka_node.resume()
    else:
        kafka_node.start()


@pytest.fixture
def proxy(kafka):
    """Stands before `kafka.proxied`, and passes everything on until it is told otherwise."""
    with Proxy(kafka.proxied, kafka.behind_proxy) as between:
        yield between


@pytest.fixture(scope="session")
def kafka_3(tmp_path_factory):
    """A node of the last Kafka that librdkafka 2.0.2 can log in to by SCRAM.  It makes topics
    that are asked for, as Kafka does by default; the other one does not."""
    folder = tmp_path_factory.mktemp("kafka-3")
    try:
        node.fetch_jars(node.VERSION_3)
    except node.KafkaError as e:
        pytest.skip(str(e))
    kafka = node.Kafka(folder, node.VERSION_3, creates_topics=True)
    kafka.start()
    yield kafka
    kafka.close()


@pytest.fixture(scope="session")
def kafka_cluster(tmp_path_factory, kafka_node):
    """Three nodes; the jars and the archive of classes are there by now."""
    three = Cluster(tmp_path_factory.mktemp("cluster"))
    three.start()
    yield three
    three.close()


@pytest.fixture
def cluster(kafka_cluster):
    """All three nodes run, whatever the test before has done to them."""
    kafka_cluster.repair()
    return kafka_cluster


@pytest.fixture(scope="session")
def java_side(tmp_path_factory, kafka_node):
    side = JavaSide(tmp_path_factory.mktemp("java") / "errors")
    yield side
    side.close()


@pytest.fixture
def topic_name(request):
    """A name that no other test uses."""
    test = re.sub(r"[^a-zA-Z0-9._-]", "-", request.node.name)[:100]
    return f"{test}.{next(COUNTER)}"


@pytest.fixture
def topic(kafka, topic_name):
    """A fresh topic of four partitions; gone after the test, to keep the disk free."""
    yield kafka.create_topic(topic_name)
    if kafka.running() and not kafka.paused():
        kafka.delete_topic(topic_name)


@pytest.fixture
def agents(request, tmp_path):
    """agents(config) makes an agent in a folder of its own; none outlives the test."""
    made = request.node.agents = []

    def make(config, folder=None, **options):
        folder = folder or tmp_path / f"agent-{len(made) + 1}"
        made.append(Agent(folder, config, **options))
        return made[-1]

    yield make
    for agent in made:
        agent.close()


@pytest.fixture
def ship(kafka, agents, topic, tmp_path):
    """ship(paths) makes an agent that sends files to the test's topic; not started yet."""

    def make(paths=None, settings=None, agent=None, output=None, **routing):
        return agents({
            "agent": agent or {},
            "outputs": {"main": {"bootstrap.servers": kafka.bootstrap, **(output or {})}},
            "inputs": {"logs": {"paths": str(paths or tmp_path / "*.log"),
                                **{"topic": topic, **(settings or {}), **routing}}},
        })

    return make


@pytest.fixture
def log(tmp_path):
    """The one file of tests that need no more."""
    return tmp_path / "app.log"


def needs_root(why):
    return pytest.mark.skipif(os.geteuid() != 0, reason=f"needs root: {why}")

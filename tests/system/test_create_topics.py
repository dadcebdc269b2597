"""A topic that does not exist: who makes it, and who must not.

`kafka_3` makes topics that are asked for, which is Kafka's default; `kafka` does not.

SPDX-License-Identifier: Apache-2.0
"""
import pytest

from samples import append
from stoker import CLUSTER, DONE


@pytest.fixture
def to(agents, topic_name, log):
    append(log, "one", "two")

    def make(kafka, **output):
        return agents({"outputs": {"main": {"bootstrap.servers": kafka.bootstrap,
                                            "broker.address.family": "v4", **output}},
                       "inputs": {"logs": {"paths": str(log), "topic": topic_name}}})

    return make


def topics(kafka):
    return set(kafka.admin().list_topics(timeout=10).topics)


def test_check_connect_makes_no_topic_where_run_would(to, kafka_3, topic_name):
    done = to(kafka_3, create_topics=True).command("check", "--connect")
    assert done.returncode == DONE, done.stderr
    assert f"topic '{topic_name}' does not exist yet" in done.stderr
    assert topic_name not in topics(kafka_3)


def test_run_has_the_topic_made_if_it_may(to, kafka_3, topic_name, log):
    agent = to(kafka_3, create_topics=True).start()
    agent.wait_acked(log)
    agent.stop()
    assert [r.value for r in kafka_3.read(topic_name)] == [b"one", b"two"]


def test_without_create_topics_none_is_made_though_the_brokers_would(to, kafka_3, topic_name, log):
    agent = to(kafka_3)
    done = agent.command("check", "--connect")
    assert done.returncode == CLUSTER
    assert f"topic '{topic_name}' does not exist (create it" in done.stderr
    agent.start()
    agent.wait_log(f"'{topic_name}' does not exist", 20)
    assert topic_name not in topics(kafka_3)
    kafka_3.create_topic(topic_name)
    agent.wait_acked(log)
    agent.stop()


def test_brokers_that_make_no_topics_are_told(to, kafka, topic_name):
    done = to(kafka, create_topics=True).command("check", "--connect")
    assert done.returncode == CLUSTER
    assert f"topic '{topic_name}' does not exist (and the brokers do not create it)" in done.stderr

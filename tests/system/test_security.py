"""TLS, certificates and logins: what works, and what the user is told when it
does not.

Every mistake is made twice, with `run` and with `check --connect`.

SPDX-License-Identifier: Apache-2.0
"""
import concurrent.futures
import re

import pytest

from kafka import SCRAM, USERS
from samples import append, number_of, numbered
from stoker import CLUSTER, DONE, stoker, write_config
from writer import arrived

LINES = 200
SECRET = "wrong-password-7"


def login(mechanism="PLAIN", password=USERS["shipper"]):
    return {"sasl.mechanism": mechanism, "sasl.username": "shipper", "sasl.password": password}


def tls(kafka, **more):
    return {"security.protocol": "SSL", "ssl.ca.location": str(kafka.certificates.ca),
            "broker.address.family": "v4", **more}


def sasl_tls(kafka, **more):
    return {**tls(kafka), "security.protocol": "SASL_SSL", **more}


def client_certificate(kafka, name="client"):
    return {"ssl.certificate.location": str(getattr(kafka.certificates, name)),
            "ssl.key.location": str(getattr(kafka.certificates, f"{name}_key"))}


def by_address(servers):
    return servers.replace("localhost", "127.0.0.1")


def config(topic, paths, servers, output):
    return {"agent": {"shutdown_timeout": "1s"},
            "outputs": {"main": {"bootstrap.servers": servers, **output}},
            "inputs": {"logs": {"paths": str(paths), "topic": topic}}}


# --- what works

def pem(path):
    return path.read_text()


WAYS = {
    "PLAIN": lambda k: (k.sasl, {"security.protocol": "SASL_PLAINTEXT", **login()}),
    "TLS": lambda k: (k.tls, tls(k)),
    "TLS that is not verified": lambda k: (by_address(k.tls), tls(k, **{
        "ssl.ca.location": str(k.certificates.other_ca),
        "enable.ssl.certificate.verification": False})),
    "mutual TLS": lambda k: (k.mutual_tls, tls(k, **client_certificate(k))),
    "mutual TLS by a PKCS#12 store": lambda k: (k.mutual_tls, tls(k, **{
        "ssl.keystore.location": str(k.certificates.client_store),
        "ssl.keystore.password": k.certificates.PASSWORD})),
    "mutual TLS by a key with a password, Java's names": lambda k: (k.mutual_tls, {
        "security.protocol": "SSL", "broker.address.family": "v4",
        "ssl.truststore.certificates": pem(k.certificates.ca),
        "ssl.keystore.certificate.chain": pem(k.certificates.client),
        "ssl.keystore.key": pem(k.certificates.client_locked_key),
        "ssl.key.password": k.certificates.PASSWORD}),
    "PLAIN over TLS": lambda k: (k.sasl_tls, sasl_tls(k, **login())),
    "Java's names": lambda k: (k.sasl_tls, {
        "security.protocol": "SASL_SSL", "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(k.certificates.ca), "broker.address.family": "v4",
        "ssl.endpoint.identification.algorithm": "https", "sasl.mechanism": "PLAIN",
        "sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required "
                            f"username=\"shipper\" password=\"{USERS['shipper']}\";"}),
}


def ships(agents, kafka, topic, log, servers, output):
    append(log, *numbered(0, LINES))
    agent = agents(config(topic, log, servers, output)).start()
    kafka.wait_count(topic, LINES)
    agent.wait_acked(log)
    agent.stop()
    done = agent.command("check", "--connect")
    assert done.returncode == DONE and done.stderr == ""
    assert sorted(number_of(r.value) for r in kafka.read(topic)) == list(range(LINES))


@pytest.mark.parametrize("way", WAYS)
def test_a_log_arrives_by(way, agents, kafka, topic, log):
    ships(agents, kafka, topic, log, *WAYS[way](kafka))


@pytest.mark.parametrize("mechanism", SCRAM)
def test_a_log_arrives_at_kafka_3_by_scram(mechanism, agents, kafka_3, topic_name, log):
    topic = kafka_3.create_topic(topic_name)
    ships(agents, kafka_3, topic, log, kafka_3.sasl,
          {"security.protocol": "SASL_PLAINTEXT", **login(mechanism)})


def test_a_log_arrives_at_kafka_3_by_scram_over_tls(agents, kafka_3, topic_name, log):
    topic = kafka_3.create_topic(topic_name)
    ships(agents, kafka_3, topic, log, kafka_3.sasl_tls,
          sasl_tls(kafka_3, **login("SCRAM-SHA-512")))


# --- what does not

def plain_to(servers):
    return lambda k: (getattr(k, servers), {"broker.address.family": "v4"})


# name: (where and how, what the user is told, what to do about it)
MISTAKES = {
    "wrong password": (
        lambda k: (k.sasl, {"security.protocol": "SASL_PLAINTEXT", **login(password=SECRET)}),
        "refuse the login", r"check sasl\.username and sasl\.password"),
    "wrong password over TLS": (
        lambda k: (k.sasl_tls, sasl_tls(k, **login(password=SECRET))),
        "refuse the login", r"check sasl\.username and sasl\.password"),
    "wrong password by SCRAM": (
        lambda k: (k.sasl, {"security.protocol": "SASL_PLAINTEXT",
                            **login("SCRAM-SHA-256", SECRET)}),
        "refuse the login", r"check sasl\.username and sasl\.password"),
    "mechanism that is not offered": (
        lambda k: (k.sasl_tls, sasl_tls(k, **login("SCRAM-SHA-256"))),
        "refuse the login", r"check sasl\.mechanism"),
    "wrong CA": (
        lambda k: (k.tls, tls(k, **{"ssl.ca.location": str(k.certificates.other_ca)})),
        "signed by an authority that is not trusted", r"check ssl\.ca\.location"),
    "host name mismatch": (
        lambda k: (by_address(k.tls), tls(k)),
        "certificate is for another host", r"bootstrap\.servers"),
    "client certificate missing": (
        lambda k: (k.mutual_tls, tls(k)),
        "wants a client certificate", r"set ssl\.certificate\.location and ssl\.key\.location"),
    "client certificate of a stranger": (
        lambda k: (k.mutual_tls, tls(k, **client_certificate(k, "stranger"))),
        "does not (take|trust) our certificate", r"check ssl\.certificate\.location"),
    "no TLS to a TLS port": (
        plain_to("tls"), "as if it wanted TLS", r"check security\.protocol: SSL or SASL_SSL"),
    "no login to a port that wants one": (
        plain_to("sasl"), "as if it wanted a login",
        r"check security\.protocol: SASL_PLAINTEXT or SASL_SSL"),
    "TLS to a port without": (
        lambda k: (k.bootstrap, tls(k)),
        "did not speak TLS|does not speak TLS", r"check security\.protocol and the port"),
    "nobody there": (
        lambda k: ("127.0.0.1:1", {}), "cannot be reached", r"check bootstrap\.servers"),
    "login to a port that wants none": (
        lambda k: (k.bootstrap, {"security.protocol": "SASL_PLAINTEXT", **login()}),
        "wants no login", r"check security\.protocol, PLAINTEXT or SSL, and the port"),
    "no such host": (
        lambda k: ("no-such-broker.invalid:9092", {}), "cannot be resolved",
        r"check bootstrap\.servers and the DNS"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_run_tells_what_is_wrong_and_what_to_do(mistake, agents, kafka, log):
    make, what, advice = MISTAKES[mistake]
    append(log, "hello")
    agent = agents(config("t", log, *make(kafka))).start()
    agent.wait_log(f"{what}.*{advice}")
    agent.kill()
    assert len(agent.log().splitlines()) < 12, f"it repeats itself:\n{agent.log()}"
    assert SECRET not in agent.log()
    assert agent.offset(log) == 0


@pytest.mark.parametrize("protocol, settings, unused", [
    (None, login(), ["sasl.mechanism"]), ("SSL", login(), ["sasl.mechanism"]),
    (None, {"ssl.ca.location": "probe"}, ["ssl.ca.location"]),
    ("SASL_PLAINTEXT", {**login(), "ssl.ca.location": "probe"}, ["ssl.ca.location"]),
    ("SASL_SSL", {**login(), "ssl.endpoint.identification.algorithm": "none"}, []),
])
def test_what_the_protocol_does_not_use_is_a_warning(protocol, settings, unused, tmp_path):
    """Who has forgotten the protocol would send in the clear."""
    output = {**settings, **({"security.protocol": protocol} if protocol else {})}
    path = write_config(tmp_path / "stoker.yaml", config("t", "/nothing", "localhost", output))
    done = stoker("check", "-c", path)
    assert done.returncode == DONE
    assert re.findall(r"'([^']+)' has no effect: security.protocol is", done.stderr) == unused
    assert len(done.stderr.splitlines()) == len(unused)


def test_a_wrong_password_that_is_put_right_loses_nothing(agents, kafka, topic, log):
    append(log, *numbered(0, LINES))
    agent = agents(config(topic, log, *MISTAKES["wrong password"][0](kafka))).start()
    agent.wait_log("refuse the login")
    append(log, *numbered(LINES, 2 * LINES))
    agent.stop()
    agent.configure(config(topic, log, *WAYS["PLAIN"](kafka)))
    agent.start()
    agent.wait_acked(log)
    agent.stop()
    assert not arrived(kafka, topic, 2 * LINES)


@pytest.fixture(scope="module")
def checked(kafka_node, tmp_path_factory):
    """What `check --connect` says of every mistake: all at once, as some of them are given time
    to heal."""
    folder = tmp_path_factory.mktemp("check")

    def check(mistake):
        path = write_config(folder / f"{mistake}.yaml".replace(" ", "-"), {
            **config("t", "/nothing/*.log", *MISTAKES[mistake][0](kafka_node)),
            "agent": {"state_dir": str(folder / "state"), "admin": "off"}})
        return stoker("check", "--connect", "-c", path)

    with concurrent.futures.ThreadPoolExecutor(len(MISTAKES)) as pool:
        return dict(zip(MISTAKES, pool.map(check, MISTAKES)))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_check_connect_tells_it_and_ends_with_69(mistake, checked):
    _, what, advice = MISTAKES[mistake]
    done = checked[mistake]
    assert done.returncode == CLUSTER, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert re.search(f"{what}.*{advice}", done.stderr), done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_check_connect_tries_the_addresses_that_the_cluster_names(tmp_path, kafka, topic):
    """What is configured answers; the records would go to where nobody listens."""
    path = write_config(tmp_path / "stoker.yaml", config(topic, "/nothing", kafka.behind_proxy, {}))
    done = stoker("check", "--connect", "-c", path)
    assert done.returncode == CLUSTER, done.stderr
    [line] = done.stderr.splitlines()
    assert f"broker 1 cannot be reached at {kafka.proxied}, " in line
    assert "check the brokers' advertised.listeners" in line and "Connection refused" in line


def test_scram_to_kafka_4_is_told_at_the_start(agents, kafka, log):
    """librdkafka before 2.6.1 cannot; the password is right."""
    append(log, "hello")
    agent = agents(config("t", log, kafka.sasl, {"security.protocol": "SASL_PLAINTEXT",
                                                 **login("SCRAM-SHA-256")})).start()
    agent.wait_log(r"librdkafka \S+ cannot log in to Kafka 4 with SCRAM")
    agent.wait_log("refuse the login.*before 2.6.1 cannot use SCRAM with Kafka 4")


def test_kerberos_to_kafka_4_is_told_at_the_start(agents, log):
    """librdkafka before 2.11.0 cannot."""
    agent = agents(config("t", log, "127.0.0.1:1", {
        "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "GSSAPI",
        "sasl.kerberos.kinit.cmd": "true"})).start()
    agent.wait_log(r"librdkafka \S+ cannot log in to Kafka 4 with GSSAPI")

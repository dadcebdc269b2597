"""One node of a real Apache Kafka on loopback; cluster.py has three.

The jars come once by Maven into ~/.cache/stoker-tests, together with an
archive of the classes a node loads, which halves the time of every later
start.  The node is broker and controller in one, keeps all it has in one
folder, creates no topic by itself, and listens in every way that clients
connect: LISTENERS.  Nobody who logs in may do what an ACL forbids; who comes
without login is a super user.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import os
import random
import shutil
import socket
import subprocess
import time
import zlib
from pathlib import Path

import confluent_kafka
from confluent_kafka.admin import (AdminClient, ConfigResource, ConfigSource, NewPartitions,
                                   NewTopic)

from certificates import Certificates
from waiting import Process, wait_for

VERSION = os.environ.get("KAFKA_VERSION", "4.1.1")
VERSION_3 = "3.9.1"             # the last that librdkafka 2.0.2 can log in to by SCRAM
CACHE = Path.home() / ".cache/stoker-tests"
POM = Path(__file__).with_name("kafka-jars.xml")
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
USERS = {"shipper": "shipper-secret"}
SCRAM = ["SCRAM-SHA-256", "SCRAM-SHA-512"]
CLUSTER_ID = "c3Rva2VyLXRlc3RzLW9uZQ"
START_SECONDS = 90

# Attribute of Kafka -> its security protocol.  `bootstrap` is for everybody;
# clients of `proxied` are told the port before it, where proxy.py listens;
# certificates name `localhost` only.
LISTENERS = {"bootstrap": "PLAINTEXT", "proxied": "PLAINTEXT", "sasl": "SASL_PLAINTEXT",
             "tls": "SSL", "mutual_tls": "SSL", "sasl_tls": "SASL_SSL"}

Record = collections.namedtuple("Record", "partition offset key value headers timestamp")


class KafkaError(Exception):
    pass


def jars(version=VERSION):
    return CACHE / f"kafka-{version}-{zlib.crc32(POM.read_bytes()):08x}"


def classes(version=VERSION):
    return jars(version).with_name(f"{jars(version).name}.jsa")


def fetch_jars(version=VERSION):
    """All of them or none: a copy that is complete gets its name."""
    if jars(version).is_dir():
        return
    partial = CACHE / f"partial.{os.getpid()}"
    CACHE.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mvn", "-B", "-ntp", "-q", "-f", POM, f"-Dkafka.version={version}", COPY,
         "-DincludeScope=runtime", f"-DoutputDirectory={partial}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        shutil.rmtree(partial, ignore_errors=True)
        raise KafkaError(f"Maven could not fetch Kafka {version}:\n{done.stdout[-2000:]}")
    try:
        partial.rename(jars(version))
    except OSError:                     # another run was faster
        shutil.rmtree(partial)


def java(*arguments, version=VERSION):
    archive = [f"-XX:SharedArchiveFile={classes(version)}"] if classes(version).exists() else []
    return ["java", "-Xms64m", "-Xmx448m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            *archive, "-Dorg.apache.logging.log4j.level=INFO", "-cp", f"{jars(version)}/*",
            *map(str, arguments)]


def archive_classes(folder, version=VERSION):
    """One start and one clean stop, only to write down which classes were loaded."""
    if classes(version).exists():
        return
    partial = CACHE / f"partial.{os.getpid()}.jsa"
    node = Kafka(folder, version)
    node.start(f"-XX:ArchiveClassesAtExit={partial}")
    node.stop()
    partial.rename(classes(version))
    shutil.rmtree(folder)


def free_ports(count):
    """Below the range that the system gives to clients: nobody takes the port of a node that
    is down for a while."""
    sockets = []
    while len(sockets) < count:
        s = socket.socket()
        try:
            s.bind(("127.0.0.1", random.SystemRandom().randrange(20000, 32768)))
            sockets.append(s)
        except OSError:
            s.close()
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Node:
    """A process that is broker and controller, in a folder of its own."""

    def __init__(self, folder, settings, version=VERSION):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.version = version
        self.log = self.folder / "kafka.log"
        self.process = None
        self.properties = self.folder / "node.properties"
        self.properties.write_text("\n".join([
            "process.roles=broker,controller",
            "controller.listener.names=CONTROLLER",
            f"log.dirs={self.folder}/data",
            "auto.create.topics.enable=false",
            "delete.topic.enable=true",
            "log.retention.ms=-1",          # records may be as old as the samples
            "offsets.topic.num.partitions=1",
            "transaction.state.log.num.partitions=1",
            "group.initial.rebalance.delay.ms=0",
            "broker.heartbeat.interval.ms=500",
            "broker.session.timeout.ms=3000",
            "log.cleaner.dedupe.buffer.size=4000000",
            "num.network.threads=2",
            "num.io.threads=2",
            *(f"{name}={value}" for name, value in settings.items()),
            ""]))

    def format_command(self):
        users = [["--add-scram", f"{way}=[name={name},password={secret}]"]
                 for way in SCRAM for name, secret in USERS.items()]
        return java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", self.properties,
                    *sum(users, []), version=self.version)

    def format(self):
        done = subprocess.run(self.format_command(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise KafkaError(f"format failed:\n{done.stdout}")

    def launch(self, *java_options):
        assert not self.running()
        self.log.write_text("")
        self.process = Process(java(*java_options, "kafka.Kafka", self.properties,
                                    version=self.version), self.log, cwd=self.folder)

    def start(self, *java_options):
        """Ready when this returns.  After stop() or kill() it has the same ports and data."""
        self.launch(*java_options)
        self.wait_up()

    def wait_up(self):
        wait_for(self.is_up, START_SECONDS, lambda: f"Kafka to start; its log:\n{self.tail()}")

    def is_up(self):
        if not self.running():
            raise KafkaError(f"Kafka ended at its start:\n{self.tail()}")
        return "Kafka Server started" in self.log.read_text(errors="replace")

    def running(self):
        return self.process is not None and self.process.running()

    def stop(self):
        self.process.terminate(60)

    def kill(self):
        self.process.kill()

    def pause(self):
        """It hangs: connections are accepted, nothing is answered."""
        self.process.pause()

    def resume(self):
        self.process.resume()

    def paused(self):
        return self.process.state() == "T"

    def close(self):
        if self.process:
            self.process.kill()

    def tail(self):
        return self.log.read_text(errors="replace")[-3000:]



class Client:
    """Topics and records of what listens at `bootstrap`."""

    copies = 1                  # of every partition
    client = None

    def admin(self):
        if self.client is None:
            self.client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0,
                                       "broker.address.family": "v4"})
        return self.client

    def create_topic(self, name, partitions=4, **config):
        topic = NewTopic(name, partitions, self.copies,
                         config={key.replace("_", "."): str(v) for key, v in config.items()})
        wait_for(lambda: self.takes(topic), 30, f"topic '{name}' to be taken")
        wait_for(lambda: self.leaders(name) == partitions, 30, f"leaders of topic '{name}'")
        return name

    def takes(self, topic):
        """Not while the controller does not count on the broker: just started, or paused."""
        try:
            for future in self.admin().create_topics([topic]).values():
                future.result()
        except confluent_kafka.KafkaException as e:
            if e.args[0].code() != confluent_kafka.KafkaError.INVALID_REPLICATION_FACTOR:
                raise
            return False
        return True

    def leaders(self, name):
        """How many partitions can be written to, and have all their copies."""
        topic = self.admin().list_topics(name, timeout=10).topics[name]
        return sum(p.leader > 0 and len(p.isrs) == self.copies
                   for p in topic.partitions.values())

    def add_partitions(self, name, total):
        for future in self.admin().create_partitions([NewPartitions(name, total)]).values():
            future.result()
        wait_for(lambda: self.leaders(name) == total, 30, f"leaders of topic '{name}'")

    def change_topic(self, name, **config):
        """Set some of its settings, leave the others."""
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        for future in self.admin().describe_configs([resource]).values():
            for key, entry in future.result().items():
                if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value:
                    resource.set_config(key, entry.value)
        for key, value in config.items():
            resource.set_config(key.replace("_", "."), str(value))
        for future in self.admin().alter_configs([resource]).values():
            future.result()

    def delete_topic(self, name):
        for future in self.admin().delete_topics([name]).values():
            future.result()

    def java_produce(self, topic, pairs):
        """The Java client itself sends (key, value) texts."""
        lines = "".join(f"{key}\t{value}\n" for key, value in pairs)
        subprocess.run(java("org.apache.kafka.tools.ConsoleProducer",
                            "--bootstrap-server", self.bootstrap, "--topic", topic,
                            "--property", "parse.key=true"),
                       input=lines, encoding="utf-8", check=True, capture_output=True,
                       timeout=120)

    # --- records

    def consumer(self):
        return confluent_kafka.Consumer({
            "bootstrap.servers": self.bootstrap, "broker.address.family": "v4", "log_level": 0,
            "group.id": "tests", "enable.auto.commit": False, "auto.offset.reset": "earliest",
            "enable.partition.eof": False, "check.crcs": True})

    def reader(self, topic):
        return Reader(self, topic)

    def count(self, topic):
        """How many records the topic holds now."""
        with self.reader(topic) as reader:
            return reader.count()

    def read(self, topic):
        """Every record up to what is the end now, by partition and offset."""
        with self.reader(topic) as reader:
            return reader.records()

    def values(self, topic):
        """The values alone, of every partition in turn: for a million records."""
        with self.reader(topic) as reader:
            return reader.values()

    def wait_count(self, topic, count, timeout=60):
        """Until the topic holds at least `count` records."""
        with self.reader(topic) as reader:
            wait_for(lambda: reader.count() >= count, timeout,
                     lambda: f"{count} records in '{topic}', there are {reader.count()}")


class Kafka(Node, Client):
    def __init__(self, folder, version=VERSION, creates_topics=False):
        folder = Path(folder)
        self.certificates = Certificates(folder / "certificates")
        proxy, controller, *ports = free_ports(2 + len(LISTENERS))
        addresses = {}
        for (name, protocol), port in zip(LISTENERS.items(), ports):
            host = "localhost" if protocol.endswith("SSL") else "127.0.0.1"
            addresses[name] = f"{host}:{port}"
        self.behind_proxy = addresses["proxied"]
        for name, address in {**addresses, "proxied": f"127.0.0.1:{proxy}"}.items():
            setattr(self, name, address)
        settings = self.settings(addresses, f"127.0.0.1:{controller}")
        settings["auto.create.topics.enable"] = str(creates_topics).lower()
        super().__init__(folder, settings, version)
        self.format()

    def settings(self, addresses, controller):
        listeners = [f"{name.upper()}://{address}" for name, address in addresses.items()]
        protocols = [f"{name.upper()}:{protocol}" for name, protocol in LISTENERS.items()]
        advertised = [f"{name.upper()}://{getattr(self, name)}" for name in LISTENERS]
        users = " ".join(f'user_{name}="{secret}"' for name, secret in USERS.items())
        module = "org.apache.kafka.common.security"
        settings = {
            "node.id": 1,
            "controller.quorum.voters": f"1@{controller}",
            "listeners": ",".join([*listeners, f"CONTROLLER://{controller}"]),
            "advertised.listeners": ",".join(advertised),
            "inter.broker.listener.name": "BOOTSTRAP",
            "listener.security.protocol.map": ",".join([*protocols, "CONTROLLER:PLAINTEXT"]),
            "default.replication.factor": 1,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "allow.everyone.if.no.acl.found": "true",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.certificates.server,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.certificates.ca,
            "listener.name.mutual_tls.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": ",".join(["PLAIN", *SCRAM]),
            "listener.name.sasl_tls.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        }
        for listener in ("sasl", "sasl_tls"):
            login = f"listener.name.{listener}"
            settings[f"{login}.plain.sasl.jaas.config"] = \
                f"{module}.plain.PlainLoginModule required {users};"
            for way in SCRAM:
                settings[f"{login}.{way.lower()}.sasl.jaas.config"] = \
                    f"{module}.scram.ScramLoginModule required;"
        return settings


class Reader:
    """A consumer of one topic that goes on where it stopped reading."""

    def __init__(self, kafka, topic):
        self.topic = topic
        self.kafka = kafka
        self.consumer = kafka.consumer()
        self.partitions = sorted(self.consumer.list_topics(topic, timeout=30)
                                 .topics[topic].partitions)
        self.next = dict.fromkeys(self.partitions, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.consumer.close()

    def ends(self):
        return {p: wait_for(lambda p=p: self.end(p), 60, f"the end of '{self.topic}' {p}")[0]
                for p in self.partitions}

    def end(self, partition):
        """(end,), or None while the node has just started and does not know it leads."""
        place = confluent_kafka.TopicPartition(self.topic, partition)
        try:
            return self.consumer.get_watermark_offsets(place, timeout=30)[1:]
        except confluent_kafka.KafkaException:
            return None

    def count(self):
        return sum(self.ends().values())

    def assign(self, partitions):
        self.consumer.assign([confluent_kafka.TopicPartition(self.topic, p, self.next[p])
                              for p in partitions])

    def messages(self):
        """Everything between where it stopped and what is the end now."""
        ends = self.ends()
        unread = {p for p in self.partitions if self.next[p] < ends[p]}
        self.assign(unread)
        quiet = 0               # seconds
        while unread:
            left = sum(ends[p] - self.next[p] for p in unread)
            batch = self.consumer.consume(min(left, 10000), timeout=1)
            quiet = 0 if batch else quiet + 1
            if quiet == 60:
                raise KafkaError(f"topic '{self.topic}': {left} records do not come")
            if quiet % 15 == 14:        # is it the consumer that is stuck, or the records?
                self.consumer.close()
                self.consumer = self.kafka.consumer()
                self.assign(unread)
            for m in batch:
                if m.error():
                    raise KafkaError(m.error())
                p = m.partition()
                self.next[p] = m.offset() + 1
                if self.next[p] >= ends[p]:
                    unread.discard(p)
                yield m
        self.consumer.unassign()

    def records(self):
        found = [Record(m.partition(), m.offset(), m.key(), m.value(), m.headers() or [],
                        m.timestamp()[1]) for m in self.messages()]
        return sorted(found, key=lambda r: (r.partition, r.offset))

    def values(self):
        by_partition = {p: [] for p in self.partitions}
        for m in self.messages():
            by_partition[m.partition()].append(m.value())
        return by_partition

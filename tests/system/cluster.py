"""Three nodes of a real Kafka on loopback: every partition has three copies, and
two of them must take a record before it counts (min.insync.replicas).

SPDX-License-Identifier: Apache-2.0
"""
import subprocess
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from kafka import Client, KafkaError, Node, free_ports
from waiting import wait_for

NODES = (1, 2, 3)


class Cluster(Client):
    copies = len(NODES)

    def __init__(self, folder):
        ports = iter(free_ports(2 * len(NODES)))
        addresses = self.addresses = {n: f"127.0.0.1:{next(ports)}" for n in NODES}
        controllers = {n: f"127.0.0.1:{next(ports)}" for n in NODES}
        self.bootstrap = ",".join(addresses.values())
        self.nodes = {n: Node(Path(folder) / f"node-{n}", {
            "node.id": n,
            "controller.quorum.voters": ",".join(f"{i}@{c}" for i, c in controllers.items()),
            "listeners": f"PLAIN://{addresses[n]},CONTROLLER://{controllers[n]}",
            "advertised.listeners": f"PLAIN://{addresses[n]}",
            "inter.broker.listener.name": "PLAIN",
            "listener.security.protocol.map": "PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "default.replication.factor": self.copies,
            "min.insync.replicas": 2,
            "offsets.topic.replication.factor": self.copies,
            "transaction.state.log.replication.factor": self.copies,
            "transaction.state.log.min.isr": 2,
            "replica.lag.time.max.ms": 5000,
            "auto.leader.rebalance.enable": "false",
        }) for n in NODES}

    def start(self):
        """All three at once: one alone has no quorum and never ends its start."""
        formats = [subprocess.Popen(node.format_command(), stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL) for node in self.nodes.values()]
        if any([child.wait() for child in formats]):
            raise KafkaError("the nodes cannot be formatted")
        self.repair()

    def repair(self):
        """Every node runs, and is up."""
        down = [node for node in self.nodes.values() if not node.running()]
        for node in self.nodes.values():
            if node in down:
                node.launch()
            else:
                node.resume()
        for node in down:
            node.wait_up()

    def close(self):
        for node in self.nodes.values():
            node.close()

    def place_of(self, topic):
        """{partition: its leader, or -1}, from a node that answers: a client that lives longer
        might ask one that hangs."""
        able = [n for n, node in self.nodes.items() if node.running() and not node.paused()]
        admin = AdminClient({"bootstrap.servers": self.addresses[able[0]], "log_level": 0})
        partitions = admin.list_topics(topic, timeout=10).topics[topic].partitions
        return {p.id: p.leader for p in partitions.values()}

    def create_topic_on(self, name, *nodes):
        """A partition for each, with one copy, there."""
        topic = NewTopic(name, len(nodes), replica_assignment=[[node] for node in nodes])
        for future in self.admin().create_topics([topic]).values():
            future.result()
        self.wait_leaders(name, lambda leader: leader in nodes, "the leaders")

    def wait_leaders(self, topic, condition, what):
        wait_for(lambda: all(map(condition, self.place_of(topic).values())), 30,
                 lambda: f"{what}; leaders are {self.place_of(topic)}", pause=0.1)

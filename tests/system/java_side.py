"""Kafka's own Java code beside the tests: the judge of keys and serializers, and
the hand that sets ACLs and moves leaders.

SPDX-License-Identifier: Apache-2.0
"""
import subprocess
import threading
from pathlib import Path

from kafka import java

SOURCE = Path(__file__).with_name("JavaSide.java")


class JavaError(Exception):
    pass


class JavaSide:
    """One process for the whole run; Java compiles its source when it starts."""

    def __init__(self, errors):
        with open(errors, "w") as sink:
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *java(SOURCE)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sink, encoding="utf-8")
        self.errors = Path(errors)

    def close(self):
        self.child.kill()
        self.child.wait()

    def ask(self, *words):
        return self.ask_all([words])[0]

    def ask_all(self, questions):
        """An answer to each, in order."""
        text = "".join(" ".join(map(str, words)) + "\n" for words in questions)
        writer = threading.Thread(target=self.write, args=(text,))
        writer.start()
        answers = [self.child.stdout.readline().rstrip("\n") for _ in questions]
        writer.join()
        for words, answer in zip(questions, answers):
            if answer.startswith("!") or (not answer and words[0] != "serialize"):
                raise JavaError(f"{words}: {answer}\n{self.errors.read_text()[-2000:]}")
        return answers

    def write(self, text):
        self.child.stdin.write(text)
        self.child.stdin.flush()

    # --- what is asked

    def partitions(self, keys, count):
        return list(map(int, self.ask_all([("partition", key.hex(), count) for key in keys])))

    def serialize(self, kind, texts):
        return list(map(bytes.fromhex,
                        self.ask_all([("serialize", kind, text) for text in texts])))

    def deny(self, kafka, user, operation, topic):
        self.ask("deny", kafka.bootstrap, user, operation, topic)

    def allow(self, kafka, user, operation, topic):
        self.ask("allow", kafka.bootstrap, user, operation, topic)

    def forget(self, kafka, topic):
        self.ask("forget", kafka.bootstrap, topic)

    def lead(self, kafka, topic):
        self.ask("lead", kafka.bootstrap, topic)

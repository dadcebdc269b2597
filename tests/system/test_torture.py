"""Everything at once: files rotated in every way while the agent is stopped, killed and
frozen and the broker goes away.  Every line arrives; none comes twice but what was in
flight at a kill; every file keeps its order.  torture.py says what exactly is held.

    --torture-seconds N     as long as you like (60; or TORTURE_SECONDS)
    --torture-seed N        the same decisions again (or TORTURE_SEED), at the machine's own pace

SPDX-License-Identifier: Apache-2.0
"""
import random
import time

from torture import (LINGER, Account, AgentChaos, BrokerChaos, Link, Narrow, Sparse, SparseNarrow,
                     Wide, World, last_of)

WRITERS = [("w1", Wide), ("w2", Wide), ("w3", Sparse), ("n1", Narrow), ("n2", Narrow),
           ("n3", SparseNarrow), ("l1", Link), ("l2", Link)]
PATIENCE = 120                  # seconds until the last line has arrived


def config(kafka, topic, folder):
    common = {"topic": topic, "value": "${env:RUN} ${body}", "linger": f"{LINGER}s"}
    logs = f"{folder}/logs"
    return {
        "agent": {"memory": "8MiB", "checkpoint_interval": "200ms", "shutdown_timeout": "2s",
                  "log": {"level": "debug"}},
        "outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
        "inputs": {
            "wide": {**common, "paths": f"{logs}/w*/app.log*"},
            "narrow": {**common, "paths": f"{logs}/n*/app.log", "key": "${content}",
                       "parser": {"type": "regex", "pattern": r"^(?<content>\S+)"}},
            "link": {**common, "paths": f"{logs}/l*/app.log"}}}


def missing(writers):
    """(content, its missing lines) of all that have some."""
    found = []
    for content in writers[0].world.contents.values():
        if not content.arrived():
            runs = content.writer.runs
            found.append((content, [n for n in range(content.first, content.last)
                                    if n >= len(runs) or runs[n] == 0]))
    return found


def explain(world, writers):
    lost = missing(writers)
    if not lost:
        return ""
    content, numbers = lost[0]
    return (f"{sum(len(n) for _, n in lost)} lines of {len(lost)} contents are missing: "
            f"{[(c.name, len(n)) for c, n in lost[:8]]}; the first: {content.name} "
            f"[{content.first}, {content.last}): {numbers[:3]}..{numbers[-1]}\n"
            f"{last_of(world.story, content.name)}")


def wait_for_the_end(world, writers):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and world.failure is None:
        if all(content.arrived() for content in list(world.contents.values())):
            return
        time.sleep(0.1)


def test_nothing_is_lost_whatever_happens(agents, kafka, topic, tmp_path, request):
    seed = request.config.getoption("--torture-seed") or random.randrange(1 << 32)
    seconds = request.config.getoption("--torture-seconds")
    print(f"--torture-seed {seed} --torture-seconds {seconds:g}")
    world = World(seed, tmp_path)
    (tmp_path / "away").mkdir()
    writers = [kind(world, name) for name, kind in WRITERS]
    conf = config(kafka, topic, tmp_path)
    world.agent = agents(conf)
    account = Account(world, kafka, topic)
    agent_chaos = AgentChaos(world, account, len(conf["inputs"]))
    actors = [agent_chaos, BrokerChaos(world, account, kafka)]
    for actor in [account, *writers]:
        actor.start()
    agent_chaos.start_agent()
    for actor in actors:
        actor.start()
    world.over.wait(seconds)
    world.over.set()
    for actor in [*writers, *actors]:
        actor.join(60)
    if not world.failure:
        wait_for_the_end(world, writers)
        agent_chaos.end_agent("stop")
        agent_chaos.start_agent()       # what a clean stop has left is not sent again
        time.sleep(1)
        agent_chaos.end_agent("stop")
    account.done.set()
    account.join(60)
    print(f"{sum(w.number for w in writers)} lines in {len(world.contents)} files, "
          f"{account.repeats} repeats; {agent_chaos.kills} kills, {agent_chaos.stops} stops, "
          f"{agent_chaos.pauses} freezes, {actors[1].restarts} broker restarts, "
          f"{actors[1].pauses} broker freezes; {world.shapes}")
    lost = explain(world, writers)
    (tmp_path / "story").write_text("\n".join(f"{at:.3f} {who}: {what}"
                                              for at, who, what in world.story))
    assert not world.failure and not lost, f"seed {seed}: {world.failure}\n{lost}"

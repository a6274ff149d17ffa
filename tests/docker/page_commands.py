"""The commands of docs/operations.md, and where those are tried that no container can run."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/operations.md"
_PROGRAMS = r"(?:make|cato(?:-reporting)?|docker|kubectl|nats(?:-server)?|python -m|promtool|cp)"

RUN_HERE = {
    "cp deploy/compose/.env.example .env",
    "docker compose build",
    "docker compose up --detach --wait",
    "docker compose up",
    "docker compose up --detach --scale dialer-dial=3",
    "docker compose stop dialer-dial",
    "docker compose --profile exchange up --detach --wait exchange",
    "docker compose --profile monitoring up --detach --wait",
    "docker compose kill --signal HUP dialer-dial",
    "python -m cato_runtime.probe /readyz",
    "nats-server --signal reload",
    "cato dead-letters list [--service NAME]",
    "cato dead-letters",
    "cato sql",
    "cato runs",
    "cato-reporting rebuild",
    "cato sip-trace start nine --station main --minutes 10 --pcap",
    "cato sip-trace list",
    "cato sip-trace save nine -o nine.pcap",
    "cato sip-trace remove nine",
}
"""Besides the loops; test_operations_page.py says how."""

NOT_RUN_HERE = {
    "make up": "tests/e2e runs `cato up`, which it calls",
    "cato up --config FILE --data DIR": "tests/e2e",
    "cato up": "tests/e2e",
    "kubectl apply -k deploy/k8s/overlays/...": "needs a cluster; test_cluster.py runs it",
    "kubectl apply -k deploy/k8s/overlays/dev": "needs a cluster; tests/deploy renders it",
    "kubectl apply -k": "needs a cluster",
    "make test-docker": "runs these tests",
    "make bench": "measures for an hour",
    "make chaos": "tests/chaos/test_random_runs.py",
    "make chaos SEED=7": "tests/chaos/test_random_runs.py",
    "nats stream edit --replicas 3 STREAM": "the client of NATS is in no package index",
    "nats account backup DIR": "the client of NATS is in no package index",
    "nats account restore DIR": "the client of NATS is in no package index",
    "promtool test rules deploy/prometheus/cato-rules.test.yml": "tests/deploy/test_alerts.py",
    "python -m cato_runtime.configuration.reference cato_gateway.settings:GatewaySettings"
    " cato_console.settings:ConsoleSettings": "make check",
    "cato dead-letters show NUMBER": "stack/tests/integration/test_dead_letters.py",
    "cato dead-letters replay NUMBER": "stack/tests/integration/test_dead_letters.py",
}


def is_loop(line: str) -> bool:
    return line.startswith("for ")


def commands_of_page() -> list[str]:
    """Return the commands in the blocks and in the text, each once, in their order."""
    page = PAGE.read_text()
    found: list[str] = []
    for block, span in re.findall(
        rf"^```\n(.*?)^```|`({_PROGRAMS} [^`\n]*)`", page, re.DOTALL | re.MULTILINE
    ):
        found += _lines(block) if block else [span]
    return list(dict.fromkeys(found))


def _lines(block: str) -> list[str]:
    """Return the commands of a block; a loop is one of them."""
    joined = re.sub(r"(; do)\n(.*?)\ndone", r"\1 \2; done", block, flags=re.DOTALL)
    lines = [" ".join(line.partition(" #")[0].split()) for line in joined.splitlines()]
    return [line for line in lines if re.match(rf"{_PROGRAMS} |for ", line)]

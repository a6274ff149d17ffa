"""The built objects against the policies of checkov; a finding that stays has its reason here."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHECKOV = ROOT / "build/deploy-tools/bin/checkov"

EVERY = "*"
STAYS = {
    # A limit makes a dialer wait while the machine is idle, and a wait of 20 ms is heard.
    ("CKV_K8S_11", EVERY),
    # Images are named by version, and the overlay `pinned` names them by digest: a node need not ask again.
    ("CKV_K8S_15", EVERY),
    ("CKV_K8S_43", EVERY),
    # RTP of hundreds of calls through the pod network costs more than the calls (component host-network).
    ("CKV_K8S_19", "dialer-dial"),
    # The server writes its configuration at its start.
    ("CKV_K8S_22", "clickhouse"),
    # The images of other projects read passwords from the environment, and run as the users that they have.
    ("CKV_K8S_35", "clickhouse"),
    ("CKV_K8S_35", "nats"),
    ("CKV_K8S_40", "clickhouse"),
    ("CKV_K8S_40", "nats"),
}

pytestmark = pytest.mark.skipif(
    not CHECKOV.exists(), reason="NOT TESTED: checkov is not installed (make deploy-tools)"
)


def findings(manifests, directory):
    """The failed policies as (id, name of the object)."""
    file = directory / "objects.yaml"
    file.write_text(yaml.safe_dump_all(manifests.objects))
    command = [
        CHECKOV,
        "--file",
        file,
        "--framework",
        "kubernetes",
        "--compact",
        "--quiet",
        "--output",
        "json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 300
    return {
        (each["check_id"], each["resource"].rpartition(".")[2]) for each in report["results"]["failed_checks"]
    }


@pytest.mark.timeout(160)
@pytest.mark.parametrize("manifests", ["production"], indirect=True)
def test_every_finding_has_a_reason(manifests, tmp_path):
    found = findings(manifests, tmp_path)
    unexplained = {(check, name) for check, name in found if not {(check, name), (check, EVERY)} & STAYS}
    assert not unexplained
    unused = {(check, name) for check, name in STAYS if (check, name) not in found and name != EVERY}
    assert not unused, "no longer found: remove the exception"

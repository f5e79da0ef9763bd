import json
import os
import subprocess
import sys

from devtune.offline import OFFLINE


def test_importing_devtune_turns_every_switch_off_whatever_was_set():
    code = "import devtune, json, os; print(json.dumps(dict(os.environ)))"
    environment = {**os.environ, "HF_HUB_OFFLINE": "0", "WANDB_MODE": "online"}
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    seen = json.loads(answer.stdout)
    assert {name: seen[name] for name in OFFLINE} == dict(OFFLINE)


def test_the_hub_wandb_ray_and_vllm_are_among_the_switches():
    wanted = {
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "WANDB_MODE",
        "RAY_USAGE_STATS_ENABLED",
        "VLLM_NO_USAGE_STATS",
    }
    assert wanted <= OFFLINE.keys()

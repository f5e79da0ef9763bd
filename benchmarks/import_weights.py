"""How fast `import` makes BF16 of FP8, and in how much memory: checkpoints of the published shapes.

Writes sparse files: headers, scales and configs are real, weights are holes that read as zeros.
"""

import argparse
import json
import multiprocessing
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from devtune.memory import forget_peak_memory
from devtune.model import tensor_shapes
from devtune.weights.checkpoint import natural
from devtune.weights.names import ACTIVATION_SCALE, WEIGHT_SCALE, on_disk
from devtune.weights.published import plan_import
from devtune.weights.streaming import Planned, plan_shards, write_shards

SOURCE_SHARD_BYTES = 5_000_000_000
RESERVED_BYTES = 5_000_000_000
SCALE = b"\x00\x3c"  # 2**-7 in BF16
YARN = {"rope_type": "yarn", "beta_slow": 1.0, "mscale": 1.0}
QUANTISED = {"quantization_config": {"quant_method": "fp8", "activation_scheme": "static"}}
SIZES = {"head_dim": 128, "num_key_value_heads": 8, "vocab_size": 131072, "rms_norm_eps": 1e-5}
SMALL_2 = {
    "architectures": ["Mistral3ForConditionalGeneration"],
    "model_type": "mistral3",
    "text_config": {
        **SIZES,
        "model_type": "ministral3",
        "hidden_size": 5120,
        "intermediate_size": 32768,
        "num_hidden_layers": 40,
        "num_attention_heads": 32,
        "max_position_embeddings": 393216,
        "rope_parameters": {
            **YARN, "rope_theta": 1e8, "factor": 48.0, "original_max_position_embeddings": 8192,
            "beta_fast": 32.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1,
        },
    },
    "tie_word_embeddings": False,
    "vision_config": {
        "model_type": "pixtral", "hidden_size": 1024, "intermediate_size": 4096,
        "num_hidden_layers": 24, "num_attention_heads": 16, "image_size": 1540, "patch_size": 14,
    },
    **QUANTISED,
}  # fmt: skip
DEVSTRAL_2 = {
    **SIZES,
    "architectures": ["Ministral3ForCausalLM"],
    "model_type": "ministral3",
    "hidden_size": 12288,
    "intermediate_size": 28672,
    "num_hidden_layers": 88,
    "num_attention_heads": 96,
    "max_position_embeddings": 262144,
    "rope_parameters": {
        **YARN, "rope_theta": 1e6, "factor": 64.0, "original_max_position_embeddings": 4096,
        "beta_fast": 4.0, "mscale_all_dim": 0.0, "llama_4_scaling_beta": 0.0,
    },
    "tie_word_embeddings": False,
    **QUANTISED,
}  # fmt: skip
MODELS = {"24B": SMALL_2, "123B": DEVSTRAL_2}


def write_sparse(directory: Path, config: dict) -> None:
    """Write a checkpoint as Mistral publishes it, weights as holes."""
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (directory / "tekken.json").write_text("{}", encoding="utf-8")
    shapes = tensor_shapes(config, directory / "config.json")
    in_wrapper = "text_config" in config
    planned = []
    for name, shape in shapes.items():
        disk = on_disk(name) if in_wrapper else name
        quantised = "layers." in name and "_proj." in name and "vision" not in name
        planned.append(Planned(disk, shape, "F8_E4M3" if quantised else "BF16"))
        for suffix in (WEIGHT_SCALE, ACTIVATION_SCALE) if quantised else ():
            planned.append(Planned(disk.removesuffix(".weight") + suffix, (), "BF16"))
    planned.sort(key=lambda each: natural(each.name))
    shards = plan_shards(planned, SOURCE_SHARD_BYTES)
    for shard in shards:
        with (directory / shard.file).open("wb") as file:
            file.write(shard.header)
            for each in shard.tensors:
                if each.shape == ():
                    file.write(SCALE)
                file.seek(0 if each.shape == () else each.num_bytes, 1)
            file.truncate(shard.num_bytes)
    weight_map = {each.name: shard.file for shard in shards for each in shard.tensors}
    index = directory / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}), encoding="utf-8")


def own_status(name: str) -> int:
    """Return a size of this process from /proc/self/status, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in status if line.startswith(name))) // 1024


def measure(path: Path, out: Path, num_shards: int | None, send: Any) -> None:
    """Import in this process and send what it took."""
    anonymous, over = [own_status("RssAnon")], threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            anonymous.append(own_status("RssAnon"))

    threading.Thread(target=watch, daemon=True).start()
    forget_peak_memory()
    started = time.perf_counter()
    plan = plan_import(path)
    planned_seconds = time.perf_counter() - started
    out.mkdir()
    room = shutil.disk_usage(out).free - RESERVED_BYTES
    done, num_bytes = [], 0
    for shard in plan.shards[:num_shards]:
        num_bytes += shard.num_bytes
        if num_bytes > room:
            num_bytes -= shard.num_bytes
            break
        done.append(shard)
    for _ in write_shards(out, tuple(done), lambda name: plan.tensors[name].pieces()):
        pass
    seconds = time.perf_counter() - started
    over.set()
    send.send(
        {
            "shards": f"{len(done)} of {len(plan.shards)}",
            "GB written": f"{num_bytes / 1e9:.1f}",
            "of GB": f"{sum(each.num_bytes for each in plan.shards) / 1e9:.1f}",
            "plan s": f"{planned_seconds:.1f}",
            "s": f"{seconds:.1f}",
            "MB/s": f"{num_bytes / 1e6 / (seconds - planned_seconds):.0f}",
            "peak RSS MiB": own_status("VmHWM"),
            "peak anonymous MiB": max(anonymous),
        }
    )


def main() -> None:
    """Print a row for each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--shards", type=int, help="stop after so many shards of each")
    parser.add_argument("--dir", type=Path, help="where to write; by default a temporary directory")
    arguments = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    for number, name in enumerate(arguments.models):
        with tempfile.TemporaryDirectory(dir=arguments.dir) as scratch:
            path, out = Path(scratch) / "published", Path(scratch) / "base"
            write_sparse(path, MODELS[name])
            receive, send = spawn.Pipe(duplex=False)
            process = spawn.Process(target=measure, args=(path, out, arguments.shards, send))
            process.start()
            send.close()
            row = {"model": name, **receive.recv()}
            process.join()
        if not number:
            print("| " + " | ".join(row) + " |\n|" + " --- |" * len(row))
        print("| " + " | ".join(str(value) for value in row.values()) + " |", flush=True)
        written, _, total = row["shards"].partition(" of ")
        if written != total:
            print(f"{name}: stopped after {written} shards; the disk or --shards allows no more")


if __name__ == "__main__":
    main()

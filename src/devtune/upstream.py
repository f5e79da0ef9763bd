"""The names TRL knows: `train.trainer_args` is checked against its installed configurations.

Reads that library's source as text; importing it would load torch.
"""

import ast
import difflib
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from devtune.errors import RecipeError
from devtune.faults import Loc, Origin, nearest_origin
from devtune.recipe import Recipe

_SHARED = (("transformers", "training_args.py"), ("trl", "trainer/base_config.py"))
_OF_TYPE = {"sft": ("trl", "trainer/sft_config.py"), "dpo": ("trl", "trainer/dpo_config.py")}
# Names of fields of trl 1.16 that have a field of their own in the section, or that devtune must
# own: the stage contract, offline operation or the rendered dataset hang on them.
_OWNED = (
    "output_dir", "report_to", "resume_from_checkpoint", "dataset_kwargs", "packing_strategy",
    "truncation_mode", "eval_strategy", "eval_on_start", "save_strategy", "save_only_model",
    "ignore_data_skip", "logging_nan_inf_filter", "metric_for_best_model", "greater_is_better",
    "logging_steps", "logging_strategy", "do_train", "fp16", "use_cpu", "dataloader_pin_memory",
    "disable_tqdm", "remove_unused_columns", "trust_remote_code", "ref_model_init_kwargs",
    "enable_jit_checkpoint",
)  # fmt: skip
_SENDS_AWAY = re.compile(r"^(push_|hub_)|token$")


def check_trainer_args(recipe: Recipe, origins: Mapping[Loc, Origin]) -> None:
    """Names only, against the installed configuration; transformers checks the values."""
    own = set(type(recipe.train).model_fields) - {"type", "adapter", "trainer_args"}
    upstream = _upstream_names(recipe.train.type) if recipe.train.trainer_args else set()
    for name in recipe.train.trainer_args:
        place = nearest_origin(("train", "trainer_args", name), origins)
        if _SENDS_AWAY.search(name):
            raise RecipeError(f"{place}: `train.trainer_args.{name}`: nothing leaves; remove it")
        if name in own or name in _OWNED:
            home = f"write it as `train.{name}`" if name in own else "devtune sets it itself"
            raise RecipeError(f"{place}: `train.trainer_args.{name}` is not passed on; {home}")
        if upstream and name not in upstream:
            near = difflib.get_close_matches(name, sorted(upstream - own), n=1, cutoff=0.4)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise RecipeError(f"{place}: unknown key `train.trainer_args.{name}`{hint}")


def _upstream_names(kind: str) -> set[str]:
    """Field names of the installed configuration, read from its source: importing it loads torch.

    Empty on a host without the training libraries.
    """
    names: set[str] = set()
    for package, file in (*_SHARED, _OF_TYPE[kind]):
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            tree = ast.parse(Path(folder, file).read_text(encoding="utf-8"))
            classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
            names |= {
                each.target.id
                for node in classes
                for each in node.body
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            }
    return names
